/// The version of a resource, as its `ETag` has it.
struct SCIMVersion {
  let etag: String

  init(_ etag: String) { self.etag = etag }

  /// Whether `If-Match` or `If-None-Match` names it: `*`, or a list in which it is, weak or strong.
  func matches(_ header: String) -> Bool {
    header.split(separator: ",").contains { part in
      let given = part.filter { $0 != " " && $0 != "\t" }
      return given == "*" || given == etag || "W/\(given)" == etag
    }
  }
}
