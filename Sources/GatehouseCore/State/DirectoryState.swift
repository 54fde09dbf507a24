/// What the directory's actor owns, and the counters beside it, as a snapshot and a replay have them.
///
/// In a running server the counters are the gate's (`Counters`), and only `view` and `lsn` are the directory's.
public struct DirectoryState: Sendable {
  public private(set) var view: Directory
  /// The last record that changed the view or, in a snapshot or a replay, a counter.
  public private(set) var lsn: LSN
  public private(set) var counters: Counters

  public init(created: Milliseconds) {
    var tables = DirectoryTables()
    tables.add(Workspace(id: mainWorkspace, name: "main", created: created, plan: "free"))
    self.init(view: Directory(lsn: 0, tables: tables, zones: .utcOnly), lsn: 0, counters: Counters())
  }

  public init(view: Directory, lsn: LSN, counters: Counters) {
    self.view = view
    self.lsn = lsn
    self.counters = counters
  }

  /// Has decisions know of these time zones.
  public mutating func use(_ zones: ZoneTable) {
    view = Directory(lsn: view.lsn, tables: view.tables, zones: zones)
  }

  /// Carries out a change of the directory.
  public mutating func apply(_ change: Change, lsn: LSN, header: RecordHeader) {
    self.lsn = lsn
    guard let changed = view.changed(by: change, lsn: lsn, time: header.time) else {
      preconditionFailure("a change of a partition came to the directory")
    }
    view = changed
  }

  /// Carries out a change that moves counters, at replay.
  public mutating func count(_ change: Change, lsn: LSN) {
    self.lsn = lsn
    counters.apply(change, lsn: lsn)
  }

  /// The state with the counters of the gate, for a snapshot.
  public func with(_ counters: Counters) -> DirectoryState {
    DirectoryState(view: view, lsn: max(self.lsn, counters.lsn), counters: counters)
  }
}

extension Directory {
  /// The directory after a change to it; nil where the change is one of a partition.
  func changed(by change: Change, lsn: LSN, time: Milliseconds) -> Directory? {
    var tables = tables
    switch change {
    case .workspaceCreated(let id, let name, let plan):
      tables.add(Workspace(id: id, name: name, created: time, plan: plan))
    case .workspaceSet(let id, let key, _, let new):
      tables.change(workspace: id) { workspace in workspace.change(lsn: lsn) { $0.set(key, to: new) } }
    case .productCreated(let id, let workspace, let name):
      tables.add(Product(id: id, workspace: workspace, name: name, created: time))
    case .poolSet(let id, let type, _, let new):
      tables.change(product: id) { $0.setPool(type, bought: new) }
    case .serviceCreated(let id, let name, let rights, let secret):
      tables.add(ServiceIdentity(id: id, name: name, created: time, secret: secret, rights: rights))
    case .serviceDeleted(let id):
      tables.delete(id)
    case .contactCreated, .contactSet, .userCreated, .userSet, .userRenamed, .statusSet, .accessSet, .roleGranted,
      .roleRevoked, .workspaceJoined, .workspaceLeft, .noted, .mailQueued, .sessionOpened, .sessionEnded, .sessionSeen,
      .timerStarted, .timerStopped, .entryAdded, .entryCorrected, .entryDeleted, .answerKept, .snapshotTaken,
      .logArchived, .clockSet:
      return nil
    }
    return Directory(lsn: lsn, tables: tables, zones: zones)
  }
}

extension Workspace {
  /// The value of a setting as `WORKSPACE.SET` takes it.
  public func text(_ key: String) -> String? {
    switch key {
    case "plan": plan
    case "owner": owner.map { "#\($0.raw)" } ?? ""
    case "subdomain": subdomain ?? ""
    default: Self.policy(key).map { policies.text(of: $0) }
    }
  }

  /// The user whom the setting `owner` names: `#12`.
  static func owner(_ text: String) -> UserID? { UInt64(text.dropFirst()).map { UserID(raw: $0) } }

  /// The policy that a key `policy.NAME` names.
  public static func policy(_ key: String) -> Policies.Definition? {
    key.hasPrefix("policy.") ? Policies.definition(String(key.dropFirst("policy.".count))) : nil
  }

  fileprivate mutating func set(_ key: String, to text: String) {
    version += 1
    switch key {
    case "plan": plan = text
    case "owner": owner = Self.owner(text)
    case "subdomain": subdomain = text.isEmpty ? nil : text
    default: policies.set(String(key.dropFirst("policy.".count)), text)
    }
  }
}
