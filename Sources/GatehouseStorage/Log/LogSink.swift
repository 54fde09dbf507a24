/// Where the frames of a log are made durable. The files of a folder are the first sink (`SegmentSink`); a log on other
/// machines could be another.
///
/// The writer (`LogCommitter`) drives its sinks from one thread at a time. It hands every frame to each of them in
/// turn, then has each sync, and reports a record as durable only after all have. So a sink that works over a network
/// should send frames at once and wait for the answers in `sync`: the round trip then overlaps with the disk writes of
/// the sink before it.
///
/// Accepting, numbering and reading records does not involve a sink (`LogWriter`): a sink costs one call per frame, and
/// nothing per record.
package protocol LogSink: AnyObject {
  /// The last record that was written. It goes back if a sync found no room, and later frames must be written again.
  var appended: UInt64 { get }

  /// Why nothing new should be accepted for now; nil if it may. What was accepted before is taken all the same.
  var shortage: DiskError? { get }

  /// Writes a frame, which continues those before. It may become durable at any time, and must be durable when `sync`
  /// returns.
  func write(_ frame: SealedFrame) throws(LogFault)

  /// Returns once everything written is durable.
  func sync() throws(LogFault)

  /// For sinks that write files: ends the current file and begins the next. Everything written must be durable.
  func rotate() throws(LogFault)

  /// Releases the sink's resources. This is the last call; everything written is durable.
  func close() throws(DiskError)
}

extension LogSink {
  package var shortage: DiskError? { nil }
}

/// Why a sink could not do what it was asked.
package enum LogFault: Error, Equatable {
  /// There is no room for now (`LogRoom`); the same call will be repeated later.
  case full(DiskError)
  /// Anything else: nothing more may be written, and the log stops for good.
  case broken(DiskError)
  /// The sink is of a log that several nodes share, and this node may not write it any more. Whether the last frames
  /// got there is not known here. The log stops for good.
  case fenced(reason: String, remedy: String)
}

/// A complete frame. The bytes are valid during the call that passes it.
package struct SealedFrame {
  package let header: FrameHeader
  /// Header and stored body, followed by zeros up to a multiple of the largest alignment.
  private let padded: UnsafeRawBufferPointer

  init(_ header: FrameHeader, padded: UnsafeRawBufferPointer) {
    self.header = header
    self.padded = padded
  }

  /// Header and stored body.
  package var bytes: UnsafeRawBufferPointer { bytes(alignedTo: 1) }

  /// The same, with zeros up to a multiple of `alignment`.
  func bytes(alignedTo alignment: UInt64) -> UnsafeRawBufferPointer {
    let count = Int(LogFormat.aligned(UInt64(header.frameLength), alignment))
    return UnsafeRawBufferPointer(rebasing: padded[..<count])
  }
}
