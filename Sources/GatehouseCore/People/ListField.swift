/// A field by which users are listed, filtered and sorted.
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
    /// Several words, of which a condition looks at each.
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

/// Reading the fields of one user in its partition.
public struct ListedUser {
  public let cell: HeldPartition
  public let serial: Int
  public let directory: Directory
  private let now: Milliseconds

  public init(_ cell: HeldPartition, _ serial: Int, _ turn: Turn) {
    self.cell = cell
    self.serial = serial
    directory = turn.directory
    now = turn.now
  }

  private var contact: Int { Int(cell.state.users[serial].contact) }

  public var id: UserID { cell.state.id(serial) }

  /// The value of a field that is a number, a time, a day or a flag; nil where it is not set.
  public func number(_ field: ListField) -> Int64? {
    let row = cell.state.users[serial]
    switch field {
    case .id: return Int64(id.raw)
    case .contact: return Int64((cell.state.id(contact) as ContactID).raw)
    case .sessions: return Int64(sessions)
    case .version: return Int64(row.version)
    case .created: return row.created
    case .lastLogin: return row.lastLogin == 0 ? nil : row.lastLogin
    case .ofContact(let field):
      let day = field == .hired ? cell.state.contacts[contact].hired : cell.state.contacts[contact].released
      return day == .min ? nil : Int64(day)
    case .ofUser(let field): return field.flag.map { row.flags.contains($0) ? 1 : 0 }
    default: return nil
    }
  }

  /// How many sessions the user has, as `USER.GET` counts them, as far as this partition tells: whether the actor of an
  /// impersonation has lost the right may be for another to say.
  private var sessions: Int {
    if cell.state.users[serial].sessionCount == 0 { return 0 }
    let user = UserReference(id: id, cell: cell, serial: serial)
    return cell.state.sessionIDs(of: serial).count { id in
      guard let slot = cell.state.slot(of: id) else { return false }
      let row = cell.state.sessions[slot]
      return row.isLive(at: now) && user.sessionDenial(row, in: directory, at: now) == nil
    }
  }

  /// The day of a moment for this person.
  ///
  /// - Parameter other: the day that the result will be compared with. Where it is far off, the person's zone makes no
  ///   difference, and the day in UTC is returned.
  public func day(of time: Milliseconds, near other: Int32) -> Int32 {
    let possible = Days.possible(at: time)
    guard possible.contains(other) else { return possible.lowerBound + 1 }
    let home = directory.workspace(cell.state.memberships(of: serial).first ?? mainWorkspace)
    return cell.state.zone(ofContact: contact, elseOf: home, directory.zones).zone.rules.day(at: time)
  }

  /// Calls `body` with the text of a field; empty where it is not set.
  public func withText<Result>(_ field: ListField, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
    switch field {
    case .username:
      return cell.state.users.withDetails(of: serial) { body(Details.field(UserTag.username, in: $0) ?? nothing) }
    case .status:
      let name = cell.state.users[serial].status.name
      return body(UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    case .ofContact(let field) where !field.isDay:
      return cell.state.contacts.withDetails(of: contact) { body(Details.field(field.rawValue, in: $0) ?? nothing) }
    case .ofUser(let field) where field.flag == nil:
      return cell.state.users.withDetails(of: serial) { body(Details.field(field.rawValue, in: $0) ?? nothing) }
    default:
      var text = field == .name ? fullName : ""
      return text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
    }
  }

  private var fullName: String {
    let workspace = directory.workspace(cell.state.memberships(of: serial).first ?? mainWorkspace)
    return PersonName(
      first: cell.state.text(.first, of: contact), middle: cell.state.text(.middle, of: contact),
      last: cell.state.text(.last, of: contact)
    ).text(format: workspace.policies.nameFormat)
  }

  /// The words of a field that has several: products that are enabled, licences as `product:type`, roles and
  /// workspaces.
  public func words(_ field: ListField) -> [String] {
    switch field {
    case .product:
      return cell.state.allAccess(of: serial).filter(\.isEnabled).compactMap { access in
        directory.product(access.product).map { directory.productName($0) }
      }
    case .licence:
      return cell.state.allAccess(of: serial).compactMap { access in
        guard let product = directory.product(access.product), let type = product.licenceName(access.licence) else {
          return nil
        }
        return "\(directory.productName(product)):\(type)"
      }
    case .role:
      var names: [String] = []
      for grant in cell.state.grants(of: serial) where !names.contains(grant.role.name) {
        names.append(grant.role.name)
      }
      return names
    case .workspace: return cell.state.memberships(of: serial).map { directory.workspace($0).name }
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

  /// The bytes by which a field sorts: those of what is not set are empty and come first.
  public func sortKey(_ field: ListField) -> ContiguousArray<UInt8> {
    switch field.kind {
    case .number, .time, .day, .flag:
      guard let number = number(field) else { return [] }
      // Flipping the sign bit makes the order of the bytes that of the numbers.
      let bits = UInt64(bitPattern: number) ^ 1 << 63
      return withUnsafeBytes(of: bits.bigEndian) { ContiguousArray($0) }
    case .text: return withText(field) { FoldedText.with($0) { ContiguousArray($0) } }
    case .words: return []
    }
  }
}
