internal import struct GatehouseCore.RawBuffer

/// Records that were accepted together, and where their frames are to be cut.
struct LogBatch: ~Copyable {
  /// A frame's share: it ends before byte `end` of the body, after so many records of the batch.
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

  /// Ends the last frame, where records follow the last cut.
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

/// For how long the writer sleeps when it is done.
enum WriterPause {
  case none
  /// Until somebody wakes it, but there are records: not for long.
  case short
  /// Until somebody wakes it.
  case long
}

/// What stands between those who append and the writer: one batch that grows while the writer has the other.
/// Guarded by one lock, which is held for the copying of a record and no longer.
struct Staging: ~Copyable {
  var batch = LogBatch()
  var nextLSN: UInt64
  /// The largest time of a record so far: times never go back in the order of records.
  private var newestTime = Int64.min
  /// Accepted and not yet durable.
  var pendingBytes = 0
  private(set) var state = LogState.open
  /// What `state` and `wantsClose` come to, which would cost more to find out for each record.
  private var isOpen = true
  var isWriterAsleep = false
  var wantsRotation = false
  /// Whether a sync is asked for ahead of its interval.
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

  /// For how long the writer may sleep after a turn.
  var pause: WriterPause {
    if hasOrders || isHeavy { return .none }
    return batch.isEmpty ? .long : .short
  }

  /// Whether so many records are all that there is to do.
  func hasRecords(_ counts: ClosedRange<Int>) -> Bool { isOpen && counts.contains(batch.recordCount) && !hasOrders }

  mutating func setState(_ new: LogState) {
    state = new
    isOpen = new == .open && !wantsClose
  }

  /// Refuses records from now on.
  /// - Returns: false where that was done before.
  mutating func beginClose() -> Bool {
    defer { isOpen = false }
    defer { wantsClose = true }
    return !wantsClose
  }

  /// Whether so much has come together that nobody should wait for more of it before it is written.
  var isHeavy: Bool { pendingBytes > maximumPending / 4 }

  /// - Parameter admits: asked with the record's number, once the log would take it.
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
    case .open where wantsClose: .failed("the log is closed")
    case .open: size > LogFormat.maximumRecord ? .tooLarge : .busy
    }
  }

  /// Whether the caller has to ring for the writer.
  @inline(__always)
  mutating func stirWriter() -> Bool {
    guard isWriterAsleep else { return false }
    isWriterAsleep = false
    return true
  }

  /// Hands the batch over and takes back the one that is done.
  mutating func take(into done: inout LogBatch) {
    batch.finish()
    swap(&batch, &done)
    batch.begin(at: nextLSN)
  }
}
