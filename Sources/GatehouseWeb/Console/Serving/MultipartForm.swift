import HTTPTypes

/// A form with a file, `multipart/form-data` (RFC 7578). Of a file what it has counts, and not its name.
enum MultipartForm {
  static let type = "multipart/form-data"

  private static let lineEnd: [UInt8] = [0x0d, 0x0a]
  private static let mostBoundaryBytes = 70

  /// The fields in their order.
  ///
  /// - Parameter header: the `Content-Type`, with the boundary.
  /// - Throws: `Problem` 400 if the body is no such form, or a field is not UTF-8.
  static func pairs(in body: [UInt8], header: String) throws -> [(name: String, value: String)] {
    guard let boundary = parameter("boundary", of: header), !boundary.isEmpty,
      boundary.utf8.count <= mostBoundaryBytes
    else { throw broken("Content-Type names no boundary") }
    let line = Array("--\(boundary)".utf8)
    // A delimiter stands at the beginning of a line, the first perhaps at that of the body.
    guard body.starts(with: line) else { throw broken("the body does not begin with the boundary") }
    var pairs: [(name: String, value: String)] = []
    var rest = body.dropFirst(line.count)
    while !rest.starts(with: Array("--".utf8)) {
      guard rest.starts(with: lineEnd) else { throw broken("a boundary is not the end of its line") }
      rest = rest.dropFirst(2)
      guard let end = rest.firstRange(of: lineEnd + line) else { throw broken("the last boundary is missing") }
      guard pairs.count < FormFields.mostFields else {
        throw Problem(.badRequest, "LIMIT", "the form has more than \(FormFields.mostFields) fields")
      }
      pairs.append(try field(rest[..<end.lowerBound]))
      rest = rest[end.upperBound...]
    }
    return pairs
  }

  /// One part: headers, an empty line, and the value.
  private static func field(_ part: ArraySlice<UInt8>) throws -> (name: String, value: String) {
    guard let headersEnd = part.firstRange(of: lineEnd + lineEnd),
      let headers = String(validating: part[..<headersEnd.lowerBound], as: UTF8.self),
      let disposition = headers.parts(separatedBy: "\n").map(\.trimmed).first(where: {
        $0.lowercased().hasPrefix("content-disposition:")
      }), let name = parameter("name", of: disposition)
    else { throw broken("a part has no name") }
    var value = part[headersEnd.upperBound...]
    // The byte order mark that spreadsheets put before UTF-8.
    if value.starts(with: [0xef, 0xbb, 0xbf]) { value = value.dropFirst(3) }
    guard let text = String(validating: value, as: UTF8.self), !value.contains(0) else {
      throw Problem(.badRequest, "ERR", "\(name) is not UTF-8; save the file as CSV UTF-8 and send it again")
    }
    return (name, text)
  }

  /// A parameter of a header, with or without quotes.
  private static func parameter(_ name: String, of header: String) -> String? {
    for part in header.parts(separatedBy: ";").dropFirst() {
      let pair = part.parts(separatedBy: "=", most: 2)
      guard pair.count == 2, pair[0].trimmed.lowercased() == name else { continue }
      let value = pair[1].trimmed
      return value.hasPrefix("\"") && value.hasSuffix("\"") && value.utf8.count > 1
        ? String(value.dropFirst().dropLast()) : value
    }
    return nil
  }

  private static func broken(_ why: String) -> Problem { Problem(.badRequest, "ERR", "the form is damaged: \(why)") }
}
