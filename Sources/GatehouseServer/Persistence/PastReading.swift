import GatehouseCore
import GatehouseStorage

/// Finds in the log and its archive what facts were at an earlier moment.
extension ReadPast: ServerWork {
  func perform(_ context: ServerContext, after lastWrite: LSN) throws -> PastChanges {
    let durable = context.waitUntilDurable(max(lastWrite, through))
    let history = context.history
    var changes = PastChanges()
    guard let first = try history.firstLSN(), first <= durable else { return changes }
    try requireKept(history, first)
    let (end, start) = (UInt64(clamping: moment), UInt64(clamping: moment + 1))
    changes.after = try find(after.keys, history, first...durable, start...(.max), newestFirst: false)
    changes.until = try find(until, history, first...durable, 0...end, newestFirst: true)
    return changes
  }

  /// The first archive format whose index has what records change of facts.
  private static let indexedSince: UInt16 = 3

  private func find(
    _ facts: some Collection<Fact>, _ history: History, _ records: ClosedRange<LSN>, _ times: ClosedRange<UInt64>,
    newestFirst: Bool
  ) throws -> [Fact: AnyChange] {
    if facts.isEmpty { return [:] }
    var search = FactSearch(facts, isNewestFirst: newestFirst)
    let companions = facts.compactMap { fact in fact.companion.map { (RecordKey.of(fact), $0) } }
    // Where two facts share a key, only what both have counts.
    let marks = Dictionary(facts.map { (RecordKey.of($0), $0.mark) }) { $0 == $1 ? $0 : nil }
    let wanted = WantedKeys(
      search.keys, companions: Dictionary(companions) { one, _ in one }, marks: marks.compactMapValues { $0 })
    try history.forEach(
      wanted: wanted, in: records, times: times, indexedSince: Self.indexedSince, newestFirst: newestFirst
    ) { _, bytes in
      var reader = ByteReader(bytes)
      if search.look(at: try Record(from: &reader, history.seals)) { wanted.keep(search.keys) }
      return !search.isOver
    }
    return search.found
  }

  /// Refuses to tell of a time of which the records were deleted, rather than to tell what is not so.
  private func requireKept(_ history: History, _ first: LSN) throws {
    guard first > 1 else { return }
    var begin: Milliseconds = 0
    try history.forEach(History.Query(first...first)) { _, bytes in
      var reader = ByteReader(bytes)
      begin = try Record(from: &reader, history.seals).time
      return false
    }
    guard moment < begin else { return }
    throw Refusal.rule(
      "past", "the records before \(TimeText.text(of: begin)) were deleted when their time was over",
      instead: "ask about a later moment")
  }
}
