/// The state of the directory's actor with the counters, as a snapshot and a replay need them.
///
/// In a running server the gate has the counters (`Counters`), and only `view` and `lsn` are the directory's.
public struct DirectoryState: Sendable {
  public private(set) var view: Directory
  /// The last record that changed the view or, in a snapshot or replay, a counter.
  public private(set) var lsn: LSN
  public private(set) var counters: Counters

  public init(created: Milliseconds) {
    var tables = DirectoryTables()
    tables.workspaces.add(Workspace(id: mainWorkspace, name: "main", created: created, plan: "free"))
    self.init(view: Directory(lsn: 0, tables: tables, zones: .utcOnly), lsn: 0, counters: Counters())
  }

  public init(view: Directory, lsn: LSN, counters: Counters) {
    self.view = view
    self.lsn = lsn
    self.counters = counters
  }

  /// Sets the time zones that decisions know.
  public mutating func use(_ zones: ZoneTable) {
    view = Directory(lsn: view.lsn, tables: view.tables, zones: zones)
  }

  /// Applies a change of the directory.
  public mutating func apply(_ change: AnyChange, lsn: LSN, header: RecordHeader) {
    self.lsn = lsn
    guard case .directory(let change) = change else {
      preconditionFailure("a change of something else was applied to the directory")
    }
    view = view.changed(by: change, lsn: lsn, time: header.time)
  }

  /// Applies a change to the counters, at replay.
  public mutating func count(_ change: AnyChange, lsn: LSN) {
    self.lsn = lsn
    counters.apply(change, lsn: lsn)
  }

  /// The state with the gate's counters, for a snapshot.
  public func with(_ counters: Counters) -> DirectoryState {
    DirectoryState(view: view, lsn: max(self.lsn, counters.lsn), counters: counters)
  }
}

extension Directory {
  /// The directory after the changes that concern it.
  func changed(by changes: [AnyChange], lsn: LSN, time: Milliseconds) -> Directory {
    changes.reduce(self) {
      guard case .directory(let change) = $1 else { return $0 }
      return $0.changed(by: change, lsn: lsn, time: time)
    }
  }

  func changed(by change: any DirectoryChange, lsn: LSN, time: Milliseconds) -> Directory {
    var tables = tables
    change.apply(to: &tables, lsn: lsn, time: time)
    return Directory(lsn: lsn, tables: tables, zones: zones)
  }
}
