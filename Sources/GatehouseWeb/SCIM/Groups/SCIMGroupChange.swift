import GatehouseCore

/// What a request makes of a group: another name, other members.
struct SCIMGroupChange {
  private(set) var displayName: String?
  /// Empty to remove it; nil to leave it.
  private(set) var externalID: String?
  /// Everybody else leaves the group.
  var isWhole = false
  private(set) var joining: [String] = []
  private(set) var leaving: Set<String> = []
  /// Those who are joining.
  private var known: Set<String> = []

  static let mostMembers = 10_000

  init() {}

  /// What a PUT says. An `externalId` that it leaves out stays, as with users: it says who the group is to the provider.
  init(_ resource: JSON) throws(SCIMError) {
    displayName = resource[any: "displayName"]?.string
    externalID = resource[any: "externalId"]?.string
    isWhole = true
    try join(Self.ids(resource[any: "members"]))
    try checkLengths()
  }

  private func checkLengths() throws(SCIMError) {
    for (name, text) in [("displayName", displayName), ("externalId", externalID)]
    where text?.utf8.count ?? 0 > Limits.titleBytes {
      throw .invalid(.invalidValue, "\(name) is longer than \(Limits.titleBytes) bytes; shorten it")
    }
  }

  /// What the operations of a PATCH say, one after another.
  init(_ patch: SCIMPatch, isStrict: Bool) throws(SCIMError) {
    for operation in try patch.withPaths(SCIMSchemas.groups, isStrict: isStrict) {
      guard let path = operation.path else { continue }
      let (_, attribute) = SCIMSchemas.groups.settled(path.attribute)
      guard let attribute, let known = SCIMSchemas.groups.attribute(attribute) else {
        throw .invalid(.invalidPath, "a group has no \(path.attribute.name)")
      }
      switch known.name {
      case "members": try takeMembers(operation, path)
      case "displayName":
        guard operation.verb != .remove, let name = operation.value?.string, !name.isEmpty else {
          throw .invalid(.invalidValue, "displayName is a text, and every group has one")
        }
        displayName = name
      case "externalId":
        guard operation.verb != .remove else {
          externalID = ""
          continue
        }
        guard let text = operation.value?.string else { throw .invalid(.invalidValue, "externalId is a text") }
        externalID = text
      default: throw .invalid(.mutability, "\(known.name) is read-only")
      }
    }
    try checkLengths()
  }

  private mutating func takeMembers(_ operation: SCIMPatch.Operation, _ path: SCIMPath) throws(SCIMError) {
    if path.attribute.sub != nil {
      throw .invalid(.mutability, "a member is added and removed as a whole: members, or members[value eq \"id\"]")
    }
    var ids = try Self.ids(operation.value)
    if let filter = path.filter {
      guard operation.verb == .remove, let named = Self.ids(in: filter) else {
        throw .invalid(.invalidFilter, "members are named by members[value eq \"id\"], to be removed")
      }
      ids = named
    } else if operation.verb == .remove, operation.value == nil {
      leaveAll()
      return
    }
    switch operation.verb {
    case .add: try join(ids)
    case .replace:
      leaveAll()
      try join(ids)
    case .remove:
      let gone = Set(ids)
      if !known.isDisjoint(with: gone) { joining.removeAll { gone.contains($0) } }
      known.subtract(gone)
      leaving.formUnion(gone)
    }
  }

  private mutating func leaveAll() { (isWhole, joining, known, leaving) = (true, [], [], []) }

  private mutating func join(_ ids: [String]) throws(SCIMError) {
    for id in ids where known.insert(id).inserted { joining.append(id) }
    leaving.subtract(ids)
    guard joining.count <= Self.mostMembers else {
      throw .invalid(.tooMany, "more than \(Self.mostMembers) members in one request; add them in several")
    }
  }

  /// `value eq "1" or value eq "2"`.
  private static func ids(in filter: SCIMFilter) -> [String]? {
    switch filter {
    case .compare(let path, .equal, .string(let id)) where path.name.isSame(as: "value"): [id]
    case .or(let left, let right): ids(in: left).flatMap { left in ids(in: right).map { left + $0 } }
    default: nil
    }
  }

  private static func ids(_ members: JSON?) throws(SCIMError) -> [String] {
    guard let members else { return [] }
    var ids: [String] = []
    var known: Set<String> = []
    for member in members.array ?? [members] {
      if case .null = member { continue }
      let value = member.members == nil ? member : member[any: "value"]
      guard let id = value?.string ?? value?.integer.map(String.init) else {
        throw .invalid(.invalidValue, "a member has a value: the user's id")
      }
      guard !id.isEmpty, id.utf8.allSatisfy({ $0 &- 0x30 < 10 }) else {
        throw .invalid(.invalidValue, "'\(id)' is not the id of a user; groups in groups are not supported")
      }
      if known.insert(id).inserted { ids.append(id) }
    }
    return ids
  }
}
