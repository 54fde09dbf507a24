import GatehouseCore
import GatehouseWire

/// A command that reads all partitions: one after the other, each in slices of some hundred rows, so that nobody is
/// kept out for long.
struct Scan: ~Copyable {
  private let request: OwnedArguments
  private let facts: ConnectionFacts
  private let now: Milliseconds
  private let principal: Principal
  private var gathered = Gathered()
  private var partition = 0
  private let partitions: Int

  /// - Parameter executor: has begun the request, and found out on whose authority it runs.
  init(_ executor: CommandExecutor, _ request: Arguments, _ facts: ConnectionFacts) {
    self.request = OwnedArguments(copying: request)
    self.facts = facts
    now = executor.turn.now
    principal = executor.turn.principal
    partitions = executor.turn.partitioning.count
  }

  /// Goes on with the scan.
  ///
  /// - Parameter goesOn: asked after each slice whether the thread has time for another.
  /// - Returns: whether it has come to its end; the reply is in the executor's turn then.
  mutating func run(_ executor: CommandExecutor, while goesOn: () -> Bool) -> Bool {
    let turn = executor.turn
    // Taken out, as what two hold would be copied when it grows.
    var gathered = gathered
    self.gathered = Gathered()
    var partition = partition
    let isDone = request.withView { request in
      var place: Int?
      _ = turn.begin(request, on: facts, now: now, place: &place)
      turn.adopt(principal)
      defer { turn.letGo() }
      while partition < partitions, !gathered.isComplete {
        // Refused: the reply says why.
        guard executor.collect(partition, into: &gathered) else { return true }
        if gathered.nextRow == 0 { partition += 1 }
        if !goesOn() { return false }
      }
      turn.finish(&gathered)
      return true
    }
    if isDone, !gathered.lapsed.isEmpty {
      // What the list found to have lost its right ends before it is answered.
      let (reply, horizon) = (turn.reply, turn.horizon)
      let lsn = executor.endLapsed(gathered.lapsed, now: now)
      turn.restore(reply, horizon: max(horizon, lsn))
    }
    self.gathered = gathered
    self.partition = partition
    return isDone
  }
}
