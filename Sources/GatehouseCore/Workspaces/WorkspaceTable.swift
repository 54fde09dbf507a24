/// The workspaces with their indexes.
struct WorkspaceTable: Sendable {
  private(set) var rows = PagedArray<Workspace>()
  /// The facts that the hot path reads, flat, by number.
  private(set) var facts = PagedArray<WorkspaceFacts>()
  private(set) var names = NameTable()
  private var subdomains = SharedIndex()
  private var owners = SharedIndex()
  /// How many workspaces have acts that need two people (B13).
  private var approving = 0

  /// How many workspaces tell managers what happens to those they manage (L9).
  private var telling = 0

  var asksForApproval: Bool { approving > 0 }
  var tellsManagers: Bool { telling > 0 }

  mutating func add(_ workspace: Workspace) {
    precondition(Int(workspace.id) == rows.count + 1, "workspace numbers have a gap")
    rows.append(workspace)
    facts.append(WorkspaceFacts(workspace))
    names.append(workspace.name)
    findByWhatChanges(workspace)
  }

  /// Changes settings of a workspace; the name stays.
  mutating func change(_ id: WorkspaceID, _ body: (inout Workspace) -> Void) {
    let index = Int(id) - 1
    forgetWhatChanges(rows[index])
    body(&rows[index])
    facts[index] = WorkspaceFacts(rows[index])
    findByWhatChanges(rows[index])
  }

  private mutating func findByWhatChanges(_ workspace: Workspace) {
    if !workspace.policies.approvalNeeds.isEmpty { approving += 1 }
    if !workspace.policies.managerNotices.isEmpty { telling += 1 }
    if let subdomain = workspace.subdomain {
      subdomains.insert(Int(workspace.id), hash: SharedIndex.hash(of: subdomain))
    }
    if let owner = workspace.owner { owners.insert(Int(workspace.id), hash: SharedIndex.hash(of: owner)) }
  }

  private mutating func forgetWhatChanges(_ workspace: Workspace) {
    if !workspace.policies.approvalNeeds.isEmpty { approving -= 1 }
    if !workspace.policies.managerNotices.isEmpty { telling -= 1 }
    if let subdomain = workspace.subdomain {
      subdomains.remove(Int(workspace.id), hash: SharedIndex.hash(of: subdomain))
    }
    if let owner = workspace.owner { owners.remove(Int(workspace.id), hash: SharedIndex.hash(of: owner)) }
  }

  func find(subdomain: String) -> WorkspaceID? {
    subdomains.find(SharedIndex.hash(of: subdomain)) { rows[$0 - 1].subdomain == subdomain }.map { WorkspaceID($0) }
  }

  /// The workspaces that a user owns, oldest first.
  func owned(by user: UserID) -> [WorkspaceID] {
    var owned: [WorkspaceID] = []
    _ = owners.find(SharedIndex.hash(of: user)) { workspace in
      if rows[workspace - 1].owner == user { owned.append(WorkspaceID(workspace)) }
      return false
    }
    return owned.sorted()
  }
}

/// The facts of a workspace that the commands of the hot path read, flat, so that reading them needs no reference
/// counting.
public struct WorkspaceFacts: Sendable, BitwiseCopyable {
  public let withinEmployment: Bool
  /// The record that last lifted `withinEmployment`; 0 if none did.
  public let employmentLifted: LSN
  /// The policies on sessions.
  public let sessionTTL: Milliseconds
  public let sessionIdle: Milliseconds
  /// Whether people are told that their timer was stopped (K8).
  public let notifiesStopped: Bool
  /// How many logins a user has at a time; 0 means no limit.
  let sessionMax: UInt16

  init(_ workspace: Workspace) {
    withinEmployment = workspace.asks(.employment)
    employmentLifted = workspace.lifted[.employment] ?? 0
    sessionTTL = workspace.policies.sessionTTL
    sessionIdle = workspace.policies.sessionIdle
    notifiesStopped = workspace.policies.notifiesStopped
    sessionMax = UInt16(clamping: workspace.policies.sessionMax)
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
        throw reader.failure("workspaces with the same name")
      }
      tables.workspaces.add(workspace)
    }
  ]

  static func check(_ directory: Directory, _ checker: InvariantChecker) {
    for (index, workspace) in directory.workspaces.enumerated() {
      checker.expect(Int(workspace.id) == index + 1, "workspace \(workspace.name) has the number \(workspace.id)")
      guard let owner = workspace.owner else { continue }
      guard let (cell, serial) = checker.user(owner) else {
        checker.expect(false, "the owner of workspace \(workspace.name) does not exist")
        continue
      }
      let name = checker.shown(cell.state, user: serial)
      checker.expect(
        cell.state.people.users[serial].status != .deleted, "\(name) owns workspace \(workspace.name) and is deleted")
      checker.expect(
        cell.state.people.isMember(serial, of: workspace.id),
        "\(name) owns workspace \(workspace.name) and is not a member of it")
    }
    let subdomains = directory.workspaces.compactMap(\.subdomain)
    checker.expect(Set(subdomains).count == subdomains.count, "two workspaces have the same subdomain")
  }
}

extension Directory {
  /// Whether any workspace asks for a second person (B13).
  var asksForApproval: Bool { tables.workspaces.asksForApproval }

  /// Whether any workspace tells managers what happens to those they manage (L9).
  var tellsManagers: Bool { tables.workspaces.tellsManagers }

  public var workspaces: PagedArray<Workspace> { tables.workspaces.rows }

  public func workspace(_ id: WorkspaceID) -> Workspace { tables.workspaces.rows[Int(id) - 1] }

  public func workspaceID(_ name: String) -> WorkspaceID? {
    // Fast path: names usually arrive folded already.
    (find(name) ?? find(name.folded)).map { WorkspaceID($0) }
  }

  private func find(_ name: String) -> Int? {
    var name = name
    return name.withUTF8 { tables.workspaces.names.find(UnsafeRawBufferPointer($0)) }
  }

  /// The workspace with this subdomain.
  func workspaceID(ofSubdomain subdomain: String) -> WorkspaceID? { tables.workspaces.find(subdomain: subdomain) }

  /// The workspaces that a user owns, oldest first.
  public func workspaces(ownedBy user: UserID) -> [WorkspaceID] { tables.workspaces.owned(by: user) }

  /// The facts of a workspace that the commands of the hot path read.
  @inline(__always)
  public func facts(ofWorkspace workspace: WorkspaceID) -> WorkspaceFacts {
    tables.workspaces.facts[Int(workspace) - 1]
  }

  /// The name of a workspace, valid as long as the directory.
  func shownWorkspace(_ id: WorkspaceID) -> UnsafeRawBufferPointer { tables.workspaces.names.bytes(of: Int(id)) }
}
