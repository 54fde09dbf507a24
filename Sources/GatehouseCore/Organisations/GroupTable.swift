/// The account groups, and what finds them.
struct GroupTable: Sendable {
  private(set) var rows = PagedArray<AccountGroup>()
  private var names = WorkspaceNames()
  /// Deleted ones among them. Only as long as the last workspace that has a group.
  private var byWorkspace = PagedArray<PagedArray<GroupID>>()

  func isNext(_ id: GroupID) -> Bool { Int(id) == rows.count + 1 }

  mutating func add(_ group: AccountGroup) {
    precondition(isNext(group.id), "group numbers have a gap")
    rows.append(group)
    if !group.isDeleted { names.insert(group.id, group.name, in: group.workspace) }
    while byWorkspace.count < Int(group.workspace) { byWorkspace.append(PagedArray()) }
    byWorkspace[Int(group.workspace) - 1].append(group.id)
  }

  mutating func change(_ id: GroupID, _ body: (inout AccountGroup) -> Void) {
    let index = Int(id) - 1
    names.remove(id, rows[index].name, in: rows[index].workspace)
    body(&rows[index])
    if !rows[index].isDeleted { names.insert(id, rows[index].name, in: rows[index].workspace) }
  }

  func find(_ name: String, in workspace: WorkspaceID) -> GroupID? {
    names.find(name, in: workspace) { (rows[Int($0) - 1].workspace, rows[Int($0) - 1].name) }
  }

  func find(_ id: GroupID) -> AccountGroup? { id > 0 && Int(id) <= rows.count ? rows[Int(id) - 1] : nil }

  /// The groups of a workspace in the order they were made, deleted ones among them.
  func groups(of workspace: WorkspaceID) -> PagedArray<GroupID> {
    Int(workspace) <= byWorkspace.count ? byWorkspace[Int(workspace) - 1] : PagedArray()
  }
}

extension GroupTable: DirectoryTable {
  static let sections: [StoredSection<StoredDirectory>] = [
    .rows(13) {
      $0.tables.groups.rows
    } blank: {
      AccountGroup(id: $0, workspace: 0, name: "", created: 0)
    } add: { (tables, group, reader) throws(CodingError) in
      guard (1..<(tables.workspaces.rows.count + 1)).contains(Int(group.workspace)) else {
        throw reader.failure("an account group whose workspace is not there")
      }
      tables.groups.add(group)
    }
  ]

  static func check(_ directory: Directory, _ checker: InvariantChecker) {
    for (index, group) in directory.tables.groups.rows.enumerated() {
      checker.expect(Int(group.id) == index + 1, "group \(group.name) has the number \(group.id)")
      checker.expect(checker.isWorkspace(group.workspace), "group \(group.name) is of a workspace that is not there")
      for member in group.members {
        let account = directory.account(member.account)
        checker.expect(
          account?.workspace == group.workspace && account?.isDeleted == false,
          "group \(group.name) has an account that is not there")
      }
    }
  }
}

extension Directory {
  /// A group, also a deleted one.
  func group(_ id: GroupID) -> AccountGroup? { tables.groups.find(id) }

  func groupID(_ name: String, in workspace: WorkspaceID) -> GroupID? { tables.groups.find(name, in: workspace) }

  /// `name` in the main workspace, `workspace/name` in others.
  func groupName(_ id: GroupID) -> String { group(id).map { shownName($0.name, in: $0.workspace) } ?? "#\(id)" }

  /// Whether an account or a group that a scope names was not deleted.
  func isThere(_ scope: Scope) -> Bool {
    switch scope {
    case .account(let id, _): account(id)?.isDeleted == false
    case .group(let id, _): group(id)?.isDeleted == false
    case .everywhere, .workspace, .product: true
    }
  }

  /// The groups of its workspace that an account is in, in the order they were made.
  func groups(of account: Account) -> [AccountGroup] {
    tables.groups.groups(of: account.workspace).compactMap { id in
      group(id).flatMap { !$0.isDeleted && $0.contains(account.id) ? $0 : nil }
    }
  }
}
