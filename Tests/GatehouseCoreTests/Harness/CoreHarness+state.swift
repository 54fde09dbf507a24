import GatehouseTestSupport

@testable import GatehouseCore

/// The state apart from commands: changes without a command, time, and what tests inspect.
extension CoreHarness {
  /// Applies changes without a command, as one record of the service `local`.
  func apply(_ changes: any Change...) {
    let changes = changes.map(\.carried)
    let header = RecordHeader(
      time: now, service: 0, actor: nil, subject: nil, connection: 1, command: "TEST", reason: "")
    let record = Record(header: header, changes: changes)
    written.append(record)
    HarnessLog.apply(record, lsn, to: cells, directory)
    gate.count(changes, lsn: lsn)
  }

  /// Continues with other cells, as after a restart; if they are older, with the replica of that time.
  func take(_ cells: [PartitionCell], _ directory: DirectoryCell, replica: [PartitionCell]? = nil) {
    self.cells = cells
    if let replica { written.replica = replica }
    self.directory = directory
    gate.take(directory.state.counters)
    directory.state.use(TestZones.table)
  }

  // MARK: Time

  func advance(_ span: Milliseconds) { now += span }

  /// Ends the sessions whose time is up, like the server's timer; returns the number of records.
  @discardableResult
  func expire() -> Int {
    let before = log.count
    for cell in cells {
      while true {
        let due = cell.state.dueSessions(at: now, limit: 16)
        if due.isEmpty { break }
        end(due, home: cell.index)
      }
    }
    return log.count - before
  }

  /// Ends users' rights that have ended, like the server's upkeep; returns the number of records.
  @discardableResult
  func endRights() -> Int {
    let before = log.count
    for cell in cells {
      while true {
        let due = cell.state.dueUsers(at: now, limit: 4)
        if due.isEmpty { break }
        endRights(of: due, in: cell)
        cell.state.putBack(due, at: now)
      }
    }
    return log.count - before
  }

  // MARK: Looking in

  /// The sessions that have lost their right for good but have not ended; finds them without ending them. Sessions that
  /// only lack a licence may get one as long as nobody has checked.
  func lapsedSessions() throws -> Set<SessionID> {
    turn.beginExpiry(now: now)
    turn.directory = directory.state.view
    turn.others = cells.map(\.held)
    defer { turn.letGo() }
    var found = Set<SessionID>()
    for cell in cells {
      for slot in 1..<(cell.state.sessions.rows.last + 1) where cell.state.sessions[slot].isLive(at: now) {
        guard let cause = try turn.lapse(cell.held, slot), cause != .licenceRemoved else { continue }
        found.insert(cell.state.sessionID(ofSlot: slot))
      }
    }
    return found
  }

  func isInForce(_ id: SessionID) -> Bool {
    let cell = cells[partitioning.partition(of: id)]
    return cell.state.slot(of: id).map { cell.state.sessions[$0].isLive(at: now) } ?? false
  }

  func user(_ name: String) -> UserReference? {
    let key = NameKey(name, partitioning)
    var folded = FoldedName(name).text
    let holders = folded.withUTF8 { cells[key.partition].state.holders(folded: .init($0), hash: key.hash) }
    guard let id = holders.first?.user else { return nil }
    let cell = cells[partitioning.partition(of: id)]
    return cell.state.serial(of: id).map { UserReference(id: id, cell: cell.held, serial: $0) }
  }
}
