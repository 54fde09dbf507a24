import GatehouseCore
import GatehouseWire

/// A command that reads all partitions: one after the other, each in slices of a few hundred rows, so that no other
/// command waits long.
struct Scan: ~Copyable {
  private let request: OwnedArguments
  private let facts: ConnectionFacts
  private let now: Milliseconds
  private let preparation: Preparation
  private var gathered = Gathered()
  private var partition = 0
  /// Whether all partitions were read, and people or rows are being looked up for the answer.
  private var isLookingUp = false
  private let partitions: Int

  /// - Parameter executor: its turn has begun the request and found out what it needs.
  init(_ executor: CommandExecutor, _ request: Arguments, _ facts: ConnectionFacts) {
    self.request = OwnedArguments(copying: request)
    self.facts = facts
    now = executor.turn.now
    preparation = executor.turn.preparation
    partitions = executor.turn.partitioning.count
  }

  /// Continues the scan.
  ///
  /// - Parameter goesOn: asked after each slice whether there is time for another.
  /// - Returns: whether the scan is finished; the reply is then in the executor's turn.
  mutating func run(_ executor: CommandExecutor, while goesOn: () -> Bool) -> Bool {
    let turn = executor.turn
    // Move it out of `self`: with two references it would be copied when it grows.
    var gathered = gathered
    self.gathered = Gathered()
    var (partition, isLookingUp) = (partition, isLookingUp)
    let isDone = request.withView { request in
      var commandIndex: Int?
      _ = turn.begin(request, on: facts, now: now, commandIndex: &commandIndex)
      turn.adopt(preparation)
      defer { turn.letGo() }
      while !isLookingUp {
        while partition < partitions, !gathered.isComplete {
          // Refused; the reply says why.
          guard executor.collect(partition, into: &gathered) else { return true }
          if gathered.nextRow == 0 { partition += 1 }
          if !goesOn() { return false }
        }
        turn.finish(&gathered)
        if gathered.beginsAgain() {
          partition = 0
          continue
        }
        isLookingUp = gathered.isUnfinished
        if !isLookingUp { return true }
      }
      // What was looked up may lead to more.
      repeat {
        guard executor.lookUpPeople(for: &gathered, while: goesOn) else { return false }
        turn.finish(&gathered)
      } while gathered.isUnfinished
      return true
    }
    if isDone, !gathered.lapsed.isEmpty {
      // Sessions that the list found to have lost their right end before the list is answered.
      let (reply, horizon) = (turn.reply, turn.horizon)
      let lsn = executor.endLapsed(gathered.lapsed, now: now)
      turn.restore(reply, horizon: max(horizon, lsn))
    }
    self.gathered = gathered
    self.partition = partition
    self.isLookingUp = isLookingUp
    return isDone
  }
}
