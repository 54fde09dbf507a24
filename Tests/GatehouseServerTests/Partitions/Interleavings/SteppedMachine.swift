/// A machine of a few threads that runs one step at a time: memory, doors, and threads sleeping behind them.
///
/// With `isBuffered`, a store reaches memory some time after the thread has continued, as on real processors (total
/// store order: in order, and at the latest with the thread's next atomic change). The machine also tracks what each
/// thread is certain to have seen (happens-before), so that an access not ordered after the previous one is reported as
/// a race, whatever the values were.
struct SteppedMachine {
  enum Step: Hashable {
    case load(cell: Int)
    case store(cell: Int, UInt, isRelease: Bool)
    /// Sets a cell that is 0; answers whether it was 0.
    case take(cell: Int, UInt)
    case add(cell: Int, Int)
    case closeDoor(Int)
    case openDoor(Int)
    case sleep(door: Int)
    case wakeOne(door: Int)
  }

  /// A possible next event.
  enum Event: Hashable {
    /// A thread takes its next step; if it wakes a thread, `sleeper` is that thread.
    case step(thread: Int, sleeper: Int?)
    /// The oldest store in a thread's buffer reaches memory.
    case flush(thread: Int)
    /// A sleeper times out.
    case patienceEnds(thread: Int)
  }

  /// How far each thread had come, as known to one of them (a vector clock).
  typealias Knowledge = [Int]

  private struct Cell: Hashable {
    var value: UInt = 0
    /// The knowledge passed on to whoever reads the value.
    var knowledge: Knowledge
  }

  private struct Store: Hashable {
    let cell: Int
    let content: Cell
  }

  private struct Door: Hashable {
    var isClosed = false
    var knowledge: Knowledge
  }

  private struct Datum: Hashable {
    var value: UInt = 0
    var last: Access?

  }

  private struct Access: Hashable {
    let thread: Int
    let step: Int
  }

  private struct Thread: Hashable {
    /// The thread's next step; nil once it has ended.
    var next: Step?
    var isAsleep = false
    /// How often it still times out while others can continue.
    var patience: Int
    /// How often it still times out when no other can continue.
    var lastResort: Int
    var buffer: [Store] = []
    var knowledge: Knowledge
    /// Everything that it has done and seen, which determines what it does next.
    var history = 0
  }

  let isBuffered: Bool
  private var threads: [Thread]
  private var cells: [Cell] = []
  private var doors: [Door] = []
  private var data: [Datum] = []
  /// The error, if any.
  private(set) var fault: String?

  /// - Parameter patience: how often each sleeper times out although others can continue; nil means never, not even as
  ///   a last resort.
  init(threads count: Int, isBuffered: Bool, patience: Int?) {
    self.isBuffered = isBuffered
    threads = (0..<count).map { _ in
      Thread(
        patience: patience ?? 0, lastResort: patience == nil ? 0 : Self.lastResorts,
        knowledge: Array(repeating: 0, count: count))
    }
  }

  /// A thread that has slept this often in vain counts as waiting for ever.
  private static let lastResorts = 4

  mutating func newCell() -> Int {
    cells.append(Cell(knowledge: nothing))
    return cells.count - 1
  }

  mutating func newDoor() -> Int {
    doors.append(Door(knowledge: nothing))
    return doors.count - 1
  }

  mutating func newDatum() -> Int {
    data.append(Datum())
    return data.count - 1
  }

  private var nothing: Knowledge { Array(repeating: 0, count: threads.count) }

  func value(ofDatum index: Int) -> UInt { data[index].value }

  mutating func announce(_ step: Step?, of thread: Int) { threads[thread].next = step }

  func next(of thread: Int) -> Step? { threads[thread].next }

  var hasEnded: Bool { threads.allSatisfy { $0.next == nil } }

  // MARK: Possible events

  /// - Parameter running: the thread whose events come first.
  func events(running: Int) -> [Event] {
    var events: [Event] = []
    for offset in threads.indices {
      let thread = (running + offset) % threads.count
      if threads[thread].isAsleep {
        if threads[thread].patience > 0 { events.append(.patienceEnds(thread: thread)) }
        continue
      }
      if !threads[thread].buffer.isEmpty { events.append(.flush(thread: thread)) }
      switch threads[thread].next {
      case nil: break
      case .closeDoor(let door) where doors[door].isClosed: break
      case .wakeOne(let door):
        let sleepers = threads.indices.filter { threads[$0].isAsleep && threads[$0].next == .closeDoor(door) }
        if sleepers.isEmpty { events.append(.step(thread: thread, sleeper: nil)) }
        events += sleepers.map { .step(thread: thread, sleeper: $0) }
      default: events.append(.step(thread: thread, sleeper: nil))
      }
    }
    if !events.isEmpty { return events }
    return threads.indices.filter { threads[$0].isAsleep && threads[$0].lastResort > 0 }
      .map { .patienceEnds(thread: $0) }
  }

  /// Everything on which the future depends.
  var state: Int {
    var hasher = Hasher()
    hasher.combine(threads)
    hasher.combine(cells)
    hasher.combine(doors)
    hasher.combine(data)
    return hasher.finalize()
  }

  // MARK: Performing events

  mutating func wakeByItself(_ thread: Int) {
    threads[thread].isAsleep = false
    if threads[thread].patience > 0 { threads[thread].patience -= 1 } else { threads[thread].lastResort -= 1 }
  }

  mutating func flush(_ thread: Int) {
    let store = threads[thread].buffer.removeFirst()
    cells[store.cell] = store.content
  }

  /// Takes a thread's next step.
  ///
  /// - Returns: the answer of the step; nil if it put the thread to sleep.
  mutating func step(_ thread: Int, sleeper: Int?) -> UInt? {
    let step = threads[thread].next!
    threads[thread].knowledge[thread] += 1
    let answer = carryOut(step, of: thread, sleeper: sleeper)
    if let answer {
      threads[thread].next = nil
      note(step, answer, of: thread)
    }
    return answer
  }

  private mutating func note(_ step: Step, _ answer: UInt, of thread: Int) {
    var hasher = Hasher()
    hasher.combine(threads[thread].history)
    hasher.combine(step)
    hasher.combine(answer)
    threads[thread].history = hasher.finalize()
  }

  private mutating func carryOut(_ step: Step, of thread: Int, sleeper: Int?) -> UInt? {
    switch step {
    case .load(let cell): return look(at: cell, thread)
    case .store(let cell, let value, let isRelease):
      let content = Cell(value: value, knowledge: isRelease ? threads[thread].knowledge : nothing)
      threads[thread].buffer.append(Store(cell: cell, content: content))
      if !isBuffered { flush(thread) }
    case .take(let cell, let value):
      drain(thread)
      guard cells[cell].value == 0 else { return 0 }
      cells[cell].value = value
      learn(cells[cell].knowledge, thread)
      return 1
    case .add(let cell, let amount):
      drain(thread)
      cells[cell].value = UInt(Int(cells[cell].value) + amount)
    case .closeDoor(let door):
      drain(thread)
      doors[door].isClosed = true
      learn(doors[door].knowledge, thread)
    case .openDoor(let door):
      drain(thread)
      open(door, thread)
    case .sleep(let door):
      drain(thread)
      open(door, thread)
      threads[thread].isAsleep = true
      threads[thread].next = .closeDoor(door)
      return nil
    case .wakeOne:
      if let sleeper { threads[sleeper].isAsleep = false }
    }
    return 1
  }

  private mutating func drain(_ thread: Int) {
    while !threads[thread].buffer.isEmpty { flush(thread) }
  }

  private mutating func open(_ door: Int, _ thread: Int) {
    doors[door].isClosed = false
    doors[door].knowledge = threads[thread].knowledge
  }

  private mutating func learn(_ knowledge: Knowledge, _ thread: Int) {
    for other in threads.indices {
      threads[thread].knowledge[other] = max(threads[thread].knowledge[other], knowledge[other])
    }
  }

  /// A cell's value as seen by a thread.
  func look(at cell: Int, _ thread: Int) -> UInt {
    threads[thread].buffer.last { $0.cell == cell }?.content.value ?? cells[cell].value
  }

  /// A thread increments plain memory. Not a step: whether it is ordered after the previous access is known without
  /// trying interleavings.
  mutating func count(datum: Int, _ thread: Int) {
    if let last = data[datum].last, last.step > threads[thread].knowledge[last.thread] {
      fault = "race: nothing orders an access of thread \(thread) after the last one, of thread \(last.thread)"
    }
    // Its own knowledge advances with the next step.
    data[datum].last = Access(thread: thread, step: threads[thread].knowledge[thread] + 1)
    data[datum].value += 1
  }
}
