/// Where the frames of a log are made durable. The files of a folder are the first sink (`SegmentSink`); a log on other
/// machines can be a further one.
///
/// The writer (`LogCommitter`) drives its sinks from one thread at a time. It hands every frame to all of them in turn,
/// then has each sync, and tells nobody that a record is durable before all have. So a sink that works over a network
/// sends what it gets at once, and waits for the answers in `sync`: meanwhile the one before it writes to its disk.
///
/// Records are accepted, numbered and given to readers without a sink (`LogWriter`): a sink costs a call a frame, and
/// nothing a record.
package protocol LogSink: AnyObject {
  /// The last record that was written. What lies behind it must be written again, where a sync found no room for it.
  var appended: UInt64 { get }

  /// Takes a frame, which continues those before. It may be durable any time from now on, and need not be before `sync`
  /// returns.
  func write(_ frame: SealedFrame) throws(LogFault)

  /// Returns when all that was written is durable.
  func sync() throws(LogFault)

  /// Ends the file that is written, where frames go into files that end, and begins the next; what was written is durable
  /// then.
  func rotate() throws(LogFault)

  /// Gives back what the sink holds; the last call. What was written is durable.
  func close() throws(DiskError)
}

/// Why a sink could not do what it was asked to.
package enum LogFault: Error, Equatable {
  /// There is no room for now (`LogRoom`): the same call is made again later.
  case full(DiskError)
  /// Anything else: nothing more may be written, and the log stops for good.
  case broken(DiskError)
}

/// A frame that is complete. The bytes are valid during the call that hands it over.
package struct SealedFrame {
  package let header: FrameHeader
  /// Header and stored body, and behind them zeros up to a multiple of the largest alignment.
  private let padded: UnsafeRawBufferPointer

  init(_ header: FrameHeader, padded: UnsafeRawBufferPointer) {
    self.header = header
    self.padded = padded
  }

  /// Header and stored body as one.
  package var bytes: UnsafeRawBufferPointer { bytes(alignedTo: 1) }

  /// The same, with zeros up to a multiple of `alignment`.
  func bytes(alignedTo alignment: UInt64) -> UnsafeRawBufferPointer {
    let count = Int(LogFormat.aligned(UInt64(header.frameLength), alignment))
    return UnsafeRawBufferPointer(rebasing: padded[..<count])
  }
}
