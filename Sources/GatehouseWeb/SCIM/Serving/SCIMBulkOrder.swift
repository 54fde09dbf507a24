/// In which order operations of a bulk request are carried out: as they stand there, but each after those that make what it
/// names. What an operation waits for is counted once, so that a long chain costs no more than another request.
struct SCIMBulkOrder {
  /// The bulk ids that each operation names.
  let references: [Set<String>]
  private let made: [String?]
  /// How many of the operations that it names have made nothing yet.
  private var awaited: [Int]
  /// By bulk id, the operations that wait for it.
  private var waiting: [String: [Int]] = [:]
  private var isDone: [Bool]

  init(_ operations: [(bulkID: String?, references: Set<String>)]) {
    let all = Set(operations.compactMap(\.bulkID))
    references = operations.map(\.references)
    made = operations.map(\.bulkID)
    awaited = operations.map { $0.references.intersection(all).count }
    isDone = Array(repeating: false, count: operations.count)
    for (index, names) in references.enumerated() {
      for name in names where all.contains(name) { waiting[name, default: []].append(index) }
    }
  }

  /// The next operation: the first that waits for nothing, else the first that is left; nil if all are done.
  var next: Int? {
    isDone.indices.first { !isDone[$0] && awaited[$0] == 0 } ?? isDone.firstIndex(of: false)
  }

  /// - Parameter hasMade: whether there is now something under its bulk id.
  mutating func finish(_ index: Int, hasMade: Bool) {
    isDone[index] = true
    guard hasMade, let name = made[index] else { return }
    for waiter in waiting[name] ?? [] { awaited[waiter] -= 1 }
  }
}
