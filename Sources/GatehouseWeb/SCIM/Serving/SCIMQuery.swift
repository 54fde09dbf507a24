import GatehouseCore

/// What a list is asked for: by the address or by `.search`.
struct SCIMQuery {
  static let standardCount = 100
  static let mostCount = 1000

  enum Position: Equatable {
    /// From 1.
    case index(Int)
    /// Where the page before ended (RFC 9865); empty for the first page.
    case cursor(String)
  }

  var filter: SCIMFilter?
  /// As it was sent, which identifies it.
  var filterText = ""
  var sortBy: SCIMAttributePath?
  var isDescending = false
  var position = Position.index(1)
  var count = standardCount
  var projection = SCIMProjection.all

  /// - Parameter parameters: by name; of several with a name the last.
  init(_ parameters: [(name: String, value: String)]) throws(SCIMError) {
    func text(_ name: String) -> String? { parameters.last { $0.name.isSame(as: name) }?.value }
    if let given = text("filter"), !given.isEmpty {
      filterText = given
      filter = try SCIMParser.filter(given)
    }
    if let name = text("sortBy"), !name.isEmpty { sortBy = try SCIMParser.attribute(name) }
    switch text("sortOrder")?.lowercased() {
    case nil, "", "ascending": break
    case "descending": isDescending = true
    case let other?: throw .invalid(.invalidValue, "sortOrder must be ascending or descending, not '\(other)'")
    }
    if let cursor = text("cursor") {
      position = .cursor(cursor)
    } else if let start = try Self.number(text("startIndex"), "startIndex", .invalidValue) {
      position = .index(max(1, start))
    }
    if let given = try Self.number(text("count"), "count", .invalidCount) {
      count = min(max(0, given), Self.mostCount)
    }
    projection = try SCIMProjection(
      attributes: Self.names(text("attributes")), excluded: Self.names(text("excludedAttributes")))
  }

  /// The body of `.search`.
  init(_ body: JSON) throws(SCIMError) {
    guard let members = body.members else { throw .invalid(.invalidSyntax, "the body is not an object") }
    var parameters: [(String, String)] = []
    for (name, value) in members {
      switch value {
      case .string(let text): parameters.append((name, text))
      case .integer(let number): parameters.append((name, String(number)))
      case .array(let elements): parameters.append((name, elements.compactMap(\.string).joined(separator: ",")))
      case .null, .bool, .number, .decimal, .object: continue
      }
    }
    try self.init(parameters)
  }

  private static func names(_ text: String?) -> [String] {
    (text ?? "").split(separator: ",").map { String($0.trimmingPrefix(while: { $0 == " " })) }
  }

  private static func number(_ text: String?, _ name: String, _ kind: SCIMError.Kind) throws(SCIMError) -> Int? {
    guard let text, !text.isEmpty else { return nil }
    guard let number = Int(text) else { throw .invalid(kind, "\(name) is a whole number, not '\(text)'") }
    return number
  }

  /// Refuses what cannot be compared or sorted by.
  func check(_ schemas: SCIMSchemaSet) throws(SCIMError) {
    try filter?.check(schemas)
    if let sortBy, schemas.attribute(sortBy) == nil {
      throw .invalid(.invalidPath, "there is no attribute \(sortBy.name) to sort by")
    }
  }

  /// What tells one list from another: pages of one do not continue in another.
  var identity: String {
    let sort = sortBy.map { "\($0.urn ?? ""):\($0.name).\($0.sub ?? "") \(isDescending)" } ?? ""
    return "\(sort)\n\(filterText)"
  }

  /// Whether it begins a list instead of going on with one.
  var isFirstPage: Bool { position == .index(1) || position == .cursor("") }

  // MARK: Lists at hand

  /// Sorts what is at hand by `sortBy`; what has no value comes last (RFC 7644, section 3.4.2.3).
  func sort<Item>(_ items: inout [Item], _ schemas: SCIMSchemaSet, _ resource: (Item) -> JSON) {
    guard let sortBy else { return }
    let isExact = schemas.isExact(sortBy)
    var keyed = items.map { item -> (key: SCIMSortKey, item: Item) in
      (SCIMSortKey(sortBy.values(in: resource(item), schemas).first, isExact: isExact), item)
    }
    keyed.sort { isDescending ? SCIMSortKey.isBefore($1.key, $0.key) : SCIMSortKey.isBefore($0.key, $1.key) }
    items = keyed.map(\.item)
  }

  /// Which of `total` items the page has, and the page without them.
  func part(of total: Int) throws(SCIMError) -> (Range<Int>, SCIMPage) {
    let start: Int
    switch position {
    case .index(let index): start = min(index - 1, total)
    case .cursor(""): start = 0
    case .cursor(let text):
      guard let cursor = SCIMCursor(text, of: self), let offset = Int(cursor.inner), offset >= 0 else {
        throw .invalid(.invalidCursor, "the cursor does not come from this list; begin again without one")
      }
      start = min(offset, total)
    }
    let end = min(start + count, total)
    var page = SCIMPage(total: total, position: position)
    if case .cursor = position {
      if end < total, count > 0 { page.next = SCIMCursor(inner: String(end)).text(of: self) }
      if start > 0 { page.previous = SCIMCursor(inner: String(max(0, start - count))).text(of: self) }
    }
    return (start..<end, page)
  }
}

/// What a list is sorted by.
private struct SCIMSortKey {
  let text: String?
  let number: Double?

  init(_ value: JSON?, isExact: Bool) {
    switch value {
    case .string(let string):
      text = isExact ? string : FoldedName(string).text
      number = nil
    case .integer(let integer): (text, number) = (nil, Double(integer))
    case .number(let double): (text, number) = (nil, double)
    case .bool(let flag): (text, number) = (nil, flag ? 1 : 0)
    default: (text, number) = (nil, nil)
    }
  }

  static func isBefore(_ one: SCIMSortKey, _ other: SCIMSortKey) -> Bool {
    if let a = one.text, let b = other.text { return a < b }
    if let a = one.number, let b = other.number { return a < b }
    return one.text != nil || one.number != nil ? other.text == nil && other.number == nil : false
  }
}

/// One page of a list.
struct SCIMPage {
  let total: Int
  let position: SCIMQuery.Position
  var resources: [JSON] = []
  var next: String?
  var previous: String?

  init(total: Int, position: SCIMQuery.Position) {
    self.total = total
    self.position = position
  }

  func with(_ resources: [JSON]) -> SCIMPage {
    var page = self
    page.resources = resources
    return page
  }

  var json: JSON {
    var members: [JSON.Member] = [
      ("schemas", .array([.string(SCIMSchemas.listResponse)])), ("totalResults", .integer(Int64(total))),
      ("itemsPerPage", .integer(Int64(resources.count))),
    ]
    if case .index(let index) = position { members.append(("startIndex", .integer(Int64(index)))) }
    if let next { members.append(("nextCursor", .string(next))) }
    if let previous { members.append(("previousCursor", .string(previous))) }
    members.append(("Resources", .array(resources)))
    return .object(members)
  }
}
