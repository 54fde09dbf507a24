internal import struct GatehouseCore.RawBuffer

/// Records that were accepted together, and where to cut them into frames.
struct LogBatch: ~Copyable {
  /// The end of a frame: in bytes of the body, and in records of the batch.
  struct Cut {
    var end: Int
    var records: Int
  }

  var body = RawBuffer()
  var firstLSN: UInt64 = 0
  var recordCount = 0
  var cuts: [Cut] = []
  private var cutEnd = 0

  var isEmpty: Bool { recordCount == 0 }

  @inline(__always)
  mutating func append(_ record: UnsafeRawBufferPointer, frameBytes: Int) {
    RecordCoding.append(record, to: &body)
    recordCount += 1
    if body.count - cutEnd >= frameBytes { cut() }
  }

  mutating func cut() {
    cutEnd = body.count
    cuts.append(Cut(end: cutEnd, records: recordCount))
  }

  /// Ends the last frame, if records follow the last cut.
  mutating func finish() {
    if body.count > cutEnd { cut() }
  }

  mutating func begin(at lsn: UInt64) {
    body.removeAll()
    cuts.removeAll(keepingCapacity: true)
    firstLSN = lsn
    recordCount = 0
    cutEnd = 0
  }
}

/// How long the writer sleeps when it is done.
enum WriterPause {
  case none
  /// Until it is woken, but only briefly, because there are records.
  case short
  /// Until it is woken.
  case long
}

/// The double buffer between appending threads and the writer: one batch grows while the writer has the other. Guarded
/// by one lock, which is held only while a record is copied.
struct Staging: ~Copyable {
  var batch = LogBatch()
  var nextLSN: UInt64
  /// The largest record time so far; times must not decrease in LSN order.
  private var newestTime = Int64.min
  /// Bytes accepted and not yet durable.
  var pendingBytes = 0
  private(set) var state = LogState.open
  /// Derived from `state` and `wantsClose`, because checking both for each record costs more.
  private var isOpen = true
  var isWriterAsleep = false
  var wantsRotation = false
  /// Whether a sync is wanted before the interval is over.
  var wantsSync = false
  private(set) var wantsClose = false

  private let frameBytes: Int
  private let maximumPending: Int

  init(nextLSN: UInt64, options: LogOptions) {
    self.nextLSN = nextLSN
    frameBytes = options.maximumFrameBytes
    maximumPending = options.maximumPendingBytes
    batch.begin(at: nextLSN)
  }

  var hasWork: Bool { !batch.isEmpty || hasOrders }

  private var hasOrders: Bool { wantsRotation || wantsSync || wantsClose }

  /// How long the writer may sleep after a turn.
  var pause: WriterPause {
    if hasOrders || isHeavy { return .none }
    return batch.isEmpty ? .long : .short
  }

  /// Whether there are records, but fewer than this, and nothing else to be done.
  func lacks(_ count: Int) -> Bool { !batch.isEmpty && batch.recordCount < count && !hasOrders && !isHeavy }

  /// Whether a number of records in this range is all the work there is.
  func hasRecords(_ counts: ClosedRange<Int>) -> Bool { isOpen && counts.contains(batch.recordCount) && !hasOrders }

  mutating func setState(_ new: LogState) {
    state = new
    isOpen = new == .open && !wantsClose
  }

  /// Refuses records from now on.
  /// - Returns: false if it was called before.
  mutating func beginClose() -> Bool {
    defer { isOpen = false }
    defer { wantsClose = true }
    return !wantsClose
  }

  /// Whether so much is pending that the writer should not wait for more.
  var isHeavy: Bool { pendingBytes > maximumPending / 4 }

  /// - Parameter admits: asked with the record's LSN, once the log would accept it.
  @inline(__always)
  mutating func append(
    _ record: UnsafeRawBufferPointer, at time: Int64, admits: (UInt64) -> Bool
  ) throws(LogRefusal) -> UInt64 {
    guard isOpen, pendingBytes < maximumPending, record.count <= LogFormat.maximumRecord else {
      throw refusal(of: record.count)
    }
    guard time >= newestTime else { throw .early(newestTime) }
    guard admits(nextLSN) else { return nextLSN - 1 }
    newestTime = time
    let before = batch.body.count
    batch.append(record, frameBytes: frameBytes)
    pendingBytes += batch.body.count - before
    nextLSN += 1
    return nextLSN - 1
  }

  @inline(never)
  private func refusal(of size: Int) -> LogRefusal {
    switch state {
    case .full: .full
    case .failed(let reason): .failed(reason)
    case .closed: .failed("the log is closed")
    case .following: .following
    case .open where wantsClose: .failed("the log is closed")
    case .open: size > LogFormat.maximumRecord ? .tooLarge : .busy
    }
  }

  /// Whether the caller must ring for the writer.
  @inline(__always)
  mutating func stirWriter() -> Bool {
    guard isWriterAsleep else { return false }
    isWriterAsleep = false
    return true
  }

  /// Goes on behind a record that another node has written.
  mutating func advance(to lsn: UInt64) {
    precondition(batch.isEmpty && lsn == nextLSN, "a follower takes one record after the other")
    nextLSN = lsn + 1
    batch.begin(at: nextLSN)
  }

  /// Swaps the growing batch with the one that is done.
  mutating func take(into done: inout LogBatch) {
    batch.finish()
    swap(&batch, &done)
    batch.begin(at: nextLSN)
  }
}
