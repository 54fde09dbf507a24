/// The workspaces, and what finds them.
struct WorkspaceTable: Sendable {
  private(set) var rows = PagedArray<Workspace>()
  /// What the hot path reads, flat, by number.
  private(set) var facts = PagedArray<WorkspaceFacts>()
  private(set) var names = NameTable()
  private var subdomains = SharedIndex()
  private var owners = SharedIndex()

  mutating func add(_ workspace: Workspace) {
    precondition(Int(workspace.id) == rows.count + 1, "workspace numbers have a gap")
    rows.append(workspace)
    facts.append(WorkspaceFacts(workspace))
    names.append(workspace.name)
    findByWhatChanges(workspace)
  }

  /// Changes settings of a workspace; its name stays.
  mutating func change(_ id: WorkspaceID, _ body: (inout Workspace) -> Void) {
    let place = Int(id) - 1
    forgetWhatChanges(rows[place])
    body(&rows[place])
    facts[place] = WorkspaceFacts(rows[place])
    findByWhatChanges(rows[place])
  }

  private mutating func findByWhatChanges(_ workspace: Workspace) {
    if let subdomain = workspace.subdomain {
      subdomains.insert(Int(workspace.id), hash: SharedIndex.hash(of: subdomain))
    }
    if let owner = workspace.owner { owners.insert(Int(workspace.id), hash: SharedIndex.hash(of: owner)) }
  }

  private mutating func forgetWhatChanges(_ workspace: Workspace) {
    if let subdomain = workspace.subdomain {
      subdomains.remove(Int(workspace.id), hash: SharedIndex.hash(of: subdomain))
    }
    if let owner = workspace.owner { owners.remove(Int(workspace.id), hash: SharedIndex.hash(of: owner)) }
  }

  func find(subdomain: String) -> WorkspaceID? {
    subdomains.find(SharedIndex.hash(of: subdomain)) { rows[$0 - 1].subdomain == subdomain }.map { WorkspaceID($0) }
  }

  /// The workspaces that a user owns, in the order they were made.
  func owned(by user: UserID) -> [WorkspaceID] {
    var owned: [WorkspaceID] = []
    _ = owners.find(SharedIndex.hash(of: user)) { workspace in
      if rows[workspace - 1].owner == user { owned.append(WorkspaceID(workspace)) }
      return false
    }
    return owned.sorted()
  }
}

/// What a login decision needs to know of a workspace, flat, so that reading it counts no reference.
public struct WorkspaceFacts: Sendable, BitwiseCopyable {
  public let withinEmployment: Bool
  /// The record that last lifted what `withinEmployment` says; 0 where none did.
  public let employmentLifted: LSN
  /// The policies on sessions.
  public let sessionTTL: Milliseconds
  public let sessionIdle: Milliseconds

  init(_ workspace: Workspace) {
    withinEmployment = workspace.asks(.employment)
    employmentLifted = workspace.lifted[.employment] ?? 0
    sessionTTL = workspace.policies.sessionTTL
    sessionIdle = workspace.policies.sessionIdle
  }
}

extension WorkspaceTable: DirectoryTable {
  static let sections: [StoredSection<StoredDirectory>] = [
    .rows(1) {
      $0.tables.workspaces.rows
    } blank: {
      Workspace(id: $0, name: "", created: 0, plan: "")
    } add: { (tables, workspace, reader) throws(CodingError) in
      var name = workspace.name.folded
      guard name.withUTF8({ tables.workspaces.names.find(UnsafeRawBufferPointer($0)) }) == nil else {
        throw reader.failure("workspaces whose names are not their own")
      }
      tables.workspaces.add(workspace)
    }
  ]

  static func check(_ directory: Directory, _ checker: InvariantChecker) {
    for (index, workspace) in directory.workspaces.enumerated() {
      checker.expect(Int(workspace.id) == index + 1, "workspace \(workspace.name) has the number \(workspace.id)")
      guard let owner = workspace.owner else { continue }
      guard let (cell, serial) = checker.user(owner) else {
        checker.expect(false, "the owner of workspace \(workspace.name) is not there")
        continue
      }
      let name = checker.shown(cell.state, user: serial)
      checker.expect(
        cell.state.people.users[serial].status != .deleted, "\(name) owns workspace \(workspace.name) and is deleted")
      checker.expect(
        cell.state.people.isMember(serial, of: workspace.id),
        "\(name) owns workspace \(workspace.name) and is no member of it")
    }
    let subdomains = directory.workspaces.compactMap(\.subdomain)
    checker.expect(Set(subdomains).count == subdomains.count, "two workspaces have one subdomain")
  }
}

extension Directory {
  public var workspaces: PagedArray<Workspace> { tables.workspaces.rows }

  public func workspace(_ id: WorkspaceID) -> Workspace { tables.workspaces.rows[Int(id) - 1] }

  public func workspaceID(_ name: String) -> WorkspaceID? {
    // Nearly all come as they are kept, which is folded.
    (find(name) ?? find(name.folded)).map { WorkspaceID($0) }
  }

  private func find(_ name: String) -> Int? {
    var name = name
    return name.withUTF8 { tables.workspaces.names.find(UnsafeRawBufferPointer($0)) }
  }

  /// The workspace that has a subdomain.
  func workspaceID(ofSubdomain subdomain: String) -> WorkspaceID? { tables.workspaces.find(subdomain: subdomain) }

  /// The workspaces that a user owns, in the order they were made.
  public func workspaces(ownedBy user: UserID) -> [WorkspaceID] { tables.workspaces.owned(by: user) }

  /// What a login decision needs to know of a workspace.
  @inline(__always)
  public func facts(ofWorkspace workspace: WorkspaceID) -> WorkspaceFacts {
    tables.workspaces.facts[Int(workspace) - 1]
  }

  /// The name of a workspace, good as long as the directory.
  func shownWorkspace(_ id: WorkspaceID) -> UnsafeRawBufferPointer { tables.workspaces.names.bytes(of: Int(id)) }
}
