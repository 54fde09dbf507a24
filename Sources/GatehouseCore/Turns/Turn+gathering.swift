/// Commands that read all partitions, one after another.
extension Turn {
  /// Lets one partition contribute to a command that reads all of them.
  public func collect(_ cell: HeldPartition, into gathered: inout Gathered) -> Bool {
    guard case .gather(let body, _) = spec.body else { preconditionFailure("\(spec.name) does not gather") }
    home = cell
    // In place: what is gathered has some twenty references, and a copy of it for each partition would count them all.
    let outcome = attempt { () throws(Halt) in try body(self, cell, &gathered) }
    guard case .decided = outcome, reply.isEmpty else {
      gathered = Gathered()
      return false
    }
    gathered.horizon = max(gathered.horizon, horizon)
    return true
  }

  /// Makes the reply from what was gathered.
  public func finish(_ gathered: inout Gathered) {
    guard case .gather(_, let body) = spec.body else { preconditionFailure("\(spec.name) does not gather") }
    var result = gathered
    _ = attempt { () throws(Halt) in try body(self, &result) }
    gathered = result
    horizon = max(horizon, result.horizon)
  }

  /// Looks up the people of a partition who are named in the answer. Each is looked up once.
  public func lookUp(_ cell: HeldPartition, for gathered: inout Gathered) {
    for id in gathered.takeUnnamed(of: cell.index, partitioning) {
      let serial = cell.state.serial(of: id)
      gathered.people[id] = .some(serial.map { NamedPerson(UserReference(id: id, cell: cell, serial: $0)) })
      gathered.horizon = max(gathered.horizon, serial.map { cell.state.people.users[$0].lsn } ?? cell.state.lsn)
    }
    if let look = gathered.takeRest(of: cell.index) {
      look(self, cell, &gathered)
      gathered.horizon = max(gathered.horizon, cell.state.lsn)
    }
  }
}
