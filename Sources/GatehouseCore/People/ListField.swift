/// A field that lists of users show, filter and sort by.
public enum ListField: Sendable, Hashable {
  case id, contact, username, status, name, created, lastLogin, sessions, version
  case product, licence, role, workspace
  case ofContact(ContactField)
  case ofUser(UserField)

  public enum Kind: Sendable {
    case number
    case time
    case day
    case text
    case flag
    /// Several words; a condition compares each.
    case words
  }

  private static let own: [(name: String, field: ListField)] = [
    ("id", .id), ("contact", .contact), ("username", .username), ("status", .status), ("name", .name),
    ("created", .created), ("last-login", .lastLogin), ("sessions", .sessions), ("version", .version),
    ("product", .product), ("licence", .licence), ("role", .role), ("workspace", .workspace),
  ]

  public static let all: [(name: String, field: ListField)] =
    own + ContactField.allCases.map { ($0.name, .ofContact($0)) } + UserField.allCases.map { ($0.name, .ofUser($0)) }

  public init?(name: String) {
    guard let found = Self.all.first(where: { $0.name == name }) else { return nil }
    self = found.field
  }

  public var name: String {
    switch self {
    case .ofContact(let field): field.name
    case .ofUser(let field): field.name
    default: Self.own.first { $0.field == self }?.name ?? ""
    }
  }

  public var kind: Kind {
    switch self {
    case .id, .contact, .sessions, .version: .number
    case .created, .lastLogin: .time
    case .username, .status, .name: .text
    case .product, .licence, .role, .workspace: .words
    case .ofContact(let field): field.isDay ? .day : .text
    case .ofUser(let field): field.flag == nil ? .text : .flag
    }
  }
}

/// Who is looking at a list, and what they may see of each user.
struct ListViewer {
  let directory: Directory
  let now: Milliseconds
  /// The workspaces whose people are listed and whose data is shown.
  let reach: Reach
  /// Whether the viewer sees everything, so that users need no check.
  let isFree: Bool
  let sides: [Side]
  let digest: (UnsafeRawBufferPointer) -> Digest

  init(_ turn: Turn) {
    directory = turn.directory
    now = turn.now
    reach = turn.reach(of: .userRead)
    sides = turn.sides
    isFree = sides.isEmpty
    digest = turn.digest
  }

  /// What the viewer sees of a user; everything of themselves.
  func seen(of user: UserReference) -> Reach {
    isFree || !sides.contains { $0.isOneself(user) }
      ? reach
      : sides.reduce(.all) { $1.isOneself(user) ? $0 : $0.intersection($1.reach(of: .userRead)) }
  }

  func shows(_ user: UserReference) -> Bool {
    sides.allSatisfy { side in
      side.isOneself(user)
        || side.allows(.userRead, over: .anyOf(user.memberships(notEndedAt: now)), of: user, in: directory, at: now)
    }
  }
}

/// Reads the fields of one user in its partition.
public struct ListedUser {
  public let cell: HeldPartition
  public let serial: Int
  private let viewer: ListViewer

  init(_ cell: HeldPartition, _ serial: Int, _ viewer: ListViewer) {
    self.cell = cell
    self.serial = serial
    self.viewer = viewer
  }

  var directory: Directory { viewer.directory }

  var reference: UserReference { UserReference(id: id, cell: cell, serial: serial) }

  private var card: UserCard { UserCard(reference, viewer.seen(of: reference), directory, at: viewer.now) }

  private var contact: Int { Int(cell.state.people.users[serial].contact) }

  public var id: UserID { cell.state.id(serial) }

  /// The value of a number, time, day or flag field; nil if it is not set.
  public func number(_ field: ListField) -> Int64? {
    let row = cell.state.people.users[serial]
    switch field {
    case .id: return Int64(id.raw)
    case .contact: return Int64((cell.state.id(contact) as ContactID).raw)
    case .sessions: return Int64(card.sessions(at: viewer.now))
    case .version: return Int64(viewer.isFree ? row.version : card.version(viewer.digest))
    case .created: return row.created
    case .lastLogin:
      let last = card.lastLogin
      return last == 0 ? nil : last
    case .ofContact(let field):
      let day =
        field == .hired ? cell.state.people.contacts[contact].hired : cell.state.people.contacts[contact].released
      return day == .min ? nil : Int64(day)
    case .ofUser(let field): return field.flag.map { row.flags.contains($0) && card.showsLoginFields ? 1 : 0 }
    default: return nil
    }
  }

  /// The day on which a point in time falls for this person.
  ///
  /// - Parameter other: the day that the result will be compared with. If it is far off, the person's zone makes no
  ///   difference, and the day in UTC is returned without a look-up.
  public func day(of time: Milliseconds, near other: Int32) -> Int32 {
    let possible = Days.possible(at: time)
    guard possible.contains(other) else { return possible.lowerBound + 1 }
    return cell.state.people.zone(ofContact: contact, elseOf: card.showing, directory.zones).zone.rules.day(at: time)
  }

  /// Calls `body` with the text of a field; empty if it is not set.
  public func withText<Result>(_ field: ListField, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
    switch field {
    case .username:
      return cell.state.people.users.withDetails(of: serial) {
        body(Details.field(UserTag.username, in: $0) ?? nothing)
      }
    case .status:
      let name = cell.state.people.users[serial].status.name
      return body(UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    case .ofContact(let field) where !field.isDay:
      return cell.state.people.contacts.withDetails(of: contact) {
        body(Details.field(field.rawValue, in: $0) ?? nothing)
      }
    case .ofUser(let field) where field.flag == nil:
      guard viewer.isFree || card.showsLoginFields else { return body(nothing) }
      return cell.state.people.users.withDetails(of: serial) { body(Details.field(field.rawValue, in: $0) ?? nothing) }
    default:
      var text = field == .name ? card.fullName : ""
      return text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
    }
  }

  /// Whether the user has a role in a scope that the viewer sees.
  func hasRole(_ role: Role) -> Bool {
    // Fast path: the row's role bits rule out most users.
    guard cell.state.people.users[serial].roles.mayContain(role) else { return false }
    return viewer.isFree && role.number < 16 || card.grants.contains { $0.role == role }
  }

  /// Whether the user is a member of a workspace that the viewer sees.
  func isMember(of workspace: WorkspaceID) -> Bool {
    reference.isMember(of: workspace, at: viewer.now)
      && (viewer.isFree || viewer.seen(of: reference).contains(workspace))
  }

  /// Whether the user may enter a product of a workspace that the viewer sees.
  func mayEnter(_ product: ProductID) -> Bool {
    guard let access = cell.state.people.access(of: serial, to: product), access.isOpen(at: viewer.now),
      let workspace = directory.product(product)?.workspace, !reference.isShutOut(of: workspace, at: viewer.now)
    else { return false }
    return viewer.isFree || viewer.seen(of: reference).contains(workspace)
  }

  /// The words of a multi-word field: enabled products, licences as `product:type`, roles, workspaces.
  public func words(_ field: ListField) -> [String] {
    switch field {
    case .product:
      return card.accesses.compactMap { access in
        guard mayEnter(access.product) else { return nil }
        return directory.product(access.product).map { directory.productName($0) }
      }
    case .licence:
      return card.accesses.compactMap { access in
        guard let product = directory.product(access.product), let type = product.licenceName(access.licence) else {
          return nil
        }
        return "\(directory.productName(product)):\(type)"
      }
    case .role: return card.roles.map { directory.name(of: $0) }
    case .workspace: return card.workspaces.filter(isMember).map { directory.workspace($0).name }
    default: return []
    }
  }

  /// Writes the field's name and value.
  public func write(_ field: ListField, to reply: inout Reply) {
    reply.text(field.name)
    switch field.kind {
    case .number, .time: reply.optional(number(field))
    case .flag: reply.flag(number(field) == 1)
    case .day: reply.optional(number(field).map { TimeText.text(ofDay: Int32($0)) })
    case .text: withText(field) { if $0.isEmpty { reply.null() } else { reply.text($0) } }
    case .words:
      let words = words(field)
      reply.array(words.count)
      for word in words { reply.text(word) }
    }
  }

  /// The bytes by which a field sorts. A field that is not set has an empty key and sorts first.
  public func sortKey(_ field: ListField) -> ContiguousArray<UInt8> {
    switch field.kind {
    case .number, .time, .day, .flag:
      guard let number = number(field) else { return [] }
      // With the sign bit flipped, big-endian bytes sort like the numbers.
      let bits = UInt64(bitPattern: number) ^ 1 << 63
      return withUnsafeBytes(of: bits.bigEndian) { ContiguousArray($0) }
    case .text: return withText(field) { FoldedText.with($0) { ContiguousArray($0) } }
    case .words: return []
    }
  }
}
