/// The accounts, and what finds them.
struct AccountTable: Sendable {
  private(set) var rows = PagedArray<Account>()
  /// The Guest Accounts that were renamed, by workspace.
  private(set) var guests: [WorkspaceID: Account] = [:]
  private var names = WorkspaceNames()
  /// Deleted ones among them. Only as long as the last workspace that has an account.
  private var byWorkspace = PagedArray<PagedArray<AccountID>>()

  func isNext(_ id: AccountID) -> Bool { Int(id) == rows.count + 1 }

  mutating func add(_ account: Account) {
    precondition(isNext(account.id), "account numbers have a gap")
    rows.append(account)
    if !account.isDeleted { names.insert(account.id, account.name, in: account.workspace) }
    while byWorkspace.count < Int(account.workspace) { byWorkspace.append(PagedArray()) }
    byWorkspace[Int(account.workspace) - 1].append(account.id)
  }

  mutating func set(guest: Account) { guests[guest.workspace] = guest }

  mutating func change(_ id: AccountID, _ body: (inout Account) -> Void) {
    let index = Int(id) - 1
    names.remove(id, rows[index].name, in: rows[index].workspace)
    body(&rows[index])
    if !rows[index].isDeleted { names.insert(id, rows[index].name, in: rows[index].workspace) }
  }

  func find(_ name: String, in workspace: WorkspaceID) -> AccountID? {
    names.find(name, in: workspace) { (rows[Int($0) - 1].workspace, rows[Int($0) - 1].name) }
  }

  func find(_ id: AccountID) -> Account? { id > 0 && Int(id) <= rows.count ? rows[Int(id) - 1] : nil }

  /// The accounts of a workspace in the order they were made, deleted ones among them.
  func accounts(of workspace: WorkspaceID) -> PagedArray<AccountID> {
    Int(workspace) <= byWorkspace.count ? byWorkspace[Int(workspace) - 1] : PagedArray()
  }
}

extension AccountTable: DirectoryTable {
  static let sections: [StoredSection<StoredDirectory>] = [
    .rows(11) {
      $0.tables.accounts.rows
    } blank: {
      Account(id: $0, workspace: 0, name: "", kind: .customer, created: 0)
    } add: { (tables, account, reader) throws(CodingError) in
      guard (1..<(tables.workspaces.rows.count + 1)).contains(Int(account.workspace)) else {
        throw reader.failure("an account whose workspace is not there")
      }
      tables.accounts.add(account)
    },
    .list(12) { directory in
      directory.tables.accounts.guests.values.sorted { $0.workspace < $1.workspace }
    } write: {
      $0.stored($1)
    } read: { (directory, reader, layout) throws(CodingError) in
      var guest = try reader.stored(Account(id: 0, workspace: 0, name: "", kind: .customer, created: 0), layout)
      guest.id = GuestAccount.id(of: guest.workspace)
      directory.tables.accounts.set(guest: guest)
    },
  ]

  static func check(_ directory: Directory, _ checker: InvariantChecker) {
    for (index, account) in directory.tables.accounts.rows.enumerated() {
      checker.expect(Int(account.id) == index + 1, "account \(account.name) has the number \(account.id)")
      checker.expect(
        checker.isWorkspace(account.workspace), "account \(account.name) is of a workspace that is not there")
      if !account.isDeleted {
        checker.expect(
          directory.accountID(account.name, in: account.workspace) == account.id,
          "the name of account \(account.name) leads to another one")
      }
    }
    for (workspace, guest) in directory.tables.accounts.guests {
      checker.expect(
        checker.isWorkspace(workspace) && guest.workspace == workspace && !guest.isDeleted,
        "the Guest Account of workspace \(workspace) is none")
    }
  }
}

extension Directory {
  /// An account, also a deleted one.
  func account(_ id: AccountID) -> Account? {
    guard let workspace = GuestAccount.workspace(of: id) else { return tables.accounts.find(id) }
    guard workspace > 0, Int(workspace) <= workspaces.count else { return nil }
    return tables.accounts.guests[workspace]
      ?? Account(
        id: id, workspace: workspace, name: GuestAccount.name, kind: .customer,
        created: self.workspace(workspace).created)
  }

  /// The account of a name in a workspace.
  func accountID(_ name: String, in workspace: WorkspaceID) -> AccountID? {
    if let found = tables.accounts.find(name, in: workspace) { return found }
    let guest = GuestAccount.id(of: workspace)
    return account(guest)?.name.folded == name.folded ? guest : nil
  }

  /// With the workspace in front, unless that is `main`.
  func accountName(_ id: AccountID) -> String {
    account(id).map { shownName($0.name, in: $0.workspace) } ?? "#\(id)"
  }

  func shownName(_ name: String, in id: WorkspaceID) -> String {
    QualifiedName.shown(name, in: workspace(id).name)
  }
}
