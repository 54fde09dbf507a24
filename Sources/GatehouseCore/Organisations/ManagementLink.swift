/// Somebody whom a user looks after in a workspace: another user, or those of an account or a group (L9).
///
/// Links are distinct from the role *manager*. A link by itself gives no right. It says over which accounts and groups the
/// role holds where the role itself does not: somebody with the role over a workspace, or everywhere, has it over those
/// employed today by the accounts and groups that their links name there. A link to a single user never gives a right.
public struct ManagementLink: Sendable, Equatable, BitwiseCopyable {
  public enum Target: Sendable, Equatable, BitwiseCopyable {
    case user(UserID)
    case account(AccountID)
    case group(GroupID)
  }

  public let target: Target
  public let workspace: WorkspaceID

  public init(_ target: Target, in workspace: WorkspaceID) {
    self.target = target
    self.workspace = workspace
  }

  /// The scope that the role has by it.
  var scope: Scope? {
    switch target {
    case .user: nil
    case .account(let id): .account(id, of: workspace)
    case .group(let id): .group(id, of: workspace)
    }
  }

  var referredTo: Referrers.Kind {
    switch target {
    case .user(let id): .ofUser(id)
    case .account(let id): .ofAccount(id)
    case .group(let id): .ofGroup(id)
    }
  }
}

extension ByteWriter {
  mutating func managementLink(_ link: ManagementLink) {
    switch link.target {
    case .user(let user):
      byte(1)
      id(user)
    case .account(let account):
      byte(2)
      varint(account)
    case .group(let group):
      byte(3)
      varint(group)
    }
    varint(link.workspace)
  }
}

extension ByteReader {
  mutating func managementLink() throws(CodingError) -> ManagementLink {
    let target: ManagementLink.Target
    switch try byte() {
    case 1: target = .user(try id())
    case 2: target = .account(try number())
    case 3: target = .group(try number())
    default: throw failure("an unknown kind of management link")
    }
    return ManagementLink(target, in: try number())
  }
}

enum ManagementLinkForm: FieldForm {
  static func write(_ value: ManagementLink, to writer: inout ByteWriter) { writer.managementLink(value) }
  static func read(from reader: inout ByteReader) throws(CodingError) -> ManagementLink {
    try reader.managementLink()
  }

  static func text(_ value: ManagementLink, in directory: Directory?) -> String? {
    switch value.target {
    case .user(let id):
      "\(UserForm.entity(id, in: directory)) in workspace \(WorkspaceForm.text(value.workspace, in: directory) ?? "")"
    case .account(let id): AccountForm.entity(id, in: directory)
    case .group(let id): GroupForm.entity(id, in: directory)
    }
  }

  static func addKeys(of value: ManagementLink, to keys: inout [UInt64]) {
    WorkspaceForm.addKeys(of: value.workspace, to: &keys)
    if case .user(let id) = value.target { UserForm.addKeys(of: id, to: &keys) }
  }

  static func names(_ value: ManagementLink, _ entity: NamedEntity) -> Bool {
    switch value.target {
    case .user: false
    case .account(let id): AccountForm.names(id, entity)
    case .group(let id): GroupForm.names(id, entity)
    }
  }
}

extension People {
  /// The management links of a user.
  func management(of serial: Int) -> [ManagementLink] {
    users.withDetails(of: serial) { raw in
      guard let field = Details.field(UserTag.management, in: raw) else { return [] }
      var reader = ByteReader(field)
      let list = try? reader.list { (reader) throws(CodingError) in try reader.managementLink() }
      return list ?? []
    }
  }

  mutating func setManagement(of serial: Int, _ list: [ManagementLink], _ lsn: LSN) {
    for old in management(of: serial).map(\.referredTo) { referrers.remove(serial, from: old) }
    for new in list.map(\.referredTo) { referrers.insert(serial, into: new) }
    var details = users.details(of: serial)
    if list.isEmpty {
      details.set(UserTag.management, UnsafeRawBufferPointer(start: nil, count: 0))
    } else {
      details.encode(UserTag.management) { $0.list(list) { $0.managementLink($1) } }
    }
    users.setDetails(of: serial, details.bytes)
    markReferrer(serial)
    touch(user: serial, lsn)
  }
}
