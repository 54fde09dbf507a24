/// The number of an account group in the directory: dense, from 1.
public typealias GroupID = UInt32

/// A set of accounts of one workspace. People belong to it only through the accounts that employ them (L20).
public struct AccountGroup: Sendable {
  public internal(set) var id: GroupID
  public internal(set) var workspace: WorkspaceID
  public internal(set) var name: String
  public internal(set) var created: Milliseconds
  public internal(set) var version: UInt32 = 1
  public internal(set) var isDeleted = false
  /// The identifier of the group in a provisioning system; empty for none.
  public internal(set) var externalID = ""
  /// By account.
  private(set) var members: ContiguousArray<Member> = []

  struct Member: Sendable, Equatable, BitwiseCopyable {
    let account: AccountID
    /// The record that added it. What depended on an account that was taken out meanwhile does not come back when the
    /// account does.
    let since: LSN
  }

  init(id: GroupID, workspace: WorkspaceID, name: String, created: Milliseconds) {
    self.id = id
    self.workspace = workspace
    self.name = name
    self.created = created
  }

  private func index(of account: AccountID) -> Int {
    var (low, high) = (0, members.count)
    while low < high {
      let middle = (low + high) / 2
      if members[middle].account < account { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Whether an account is in the group.
  ///
  /// - Parameter opened: the record by which it must have been there already.
  func contains(_ account: AccountID, by opened: LSN = .max) -> Bool {
    let index = index(of: account)
    return index < members.count && members[index].account == account && members[index].since <= opened
  }

  /// The first accounts of the group whose numbers are larger than one.
  func accounts(after account: AccountID, limit: Int) -> [AccountID] {
    let first = account == .max ? members.count : index(of: account + 1)
    return members[first...].prefix(limit).map(\.account)
  }

  mutating func add(_ account: AccountID, lsn: LSN) {
    version += 1
    members.insert(Member(account: account, since: lsn), at: index(of: account))
  }

  mutating func remove(_ account: AccountID) {
    version += 1
    members.remove(at: index(of: account))
  }

  mutating func rename(to name: String) {
    version += 1
    self.name = name
  }

  mutating func set(externalID: String) {
    version += 1
    self.externalID = externalID
  }

  mutating func delete() {
    isDeleted = true
    externalID = ""
    members = []
  }
}

extension AccountGroup: StoredValue {
  mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.value(&workspace, as: WorkspaceForm.self)
    try visitor.value(&name, as: TextForm.self)
    try visitor.value(&created, as: TimeForm.self)
    try visitor.value(&version, as: NumberForm<UInt32>.self)
    try visitor.value(&isDeleted, as: FlagForm.self)
    try visitor.value(&members, as: MembersForm.self)
    try visitor.later()
    try visitor.value(&externalID, as: TextForm.self)
  }
}

private enum MembersForm: FieldForm {
  static func write(_ value: ContiguousArray<AccountGroup.Member>, to writer: inout ByteWriter) {
    writer.list(value) { writer, member in
      writer.varint(member.account)
      writer.varint(member.since)
    }
  }

  static func read(from reader: inout ByteReader) throws(CodingError) -> ContiguousArray<AccountGroup.Member> {
    var members: ContiguousArray<AccountGroup.Member> = []
    for _ in 0..<(try reader.count()) {
      let member = AccountGroup.Member(account: try reader.number(), since: try reader.varint())
      guard members.last.map({ $0.account < member.account }) ?? true else {
        throw reader.failure("accounts of a group out of order")
      }
      members.append(member)
    }
    return members
  }
}
