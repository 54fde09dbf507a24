internal import Glibc
internal import GatehouseStorage

/// The shared log as a sink of `LogWriter`. Frames are sent as soon as they are written, while the sink before it still
/// writes to the disk; `sync` waits until all are in etcd.
final class EtcdSink: LogSink {
  private let pipeline: AppendPipeline
  private(set) var appended: UInt64
  /// The index of the last frame that was written.
  private var index: UInt64

  init(_ pipeline: AppendPipeline, appended: UInt64, index: UInt64) {
    self.pipeline = pipeline
    self.appended = appended
    self.index = index
  }

  func write(_ frame: SealedFrame) throws(LogFault) {
    let header = frame.header
    precondition(header.firstLSN == appended + 1, "frames are written in order")
    switch pipeline.add([UInt8](frame.bytes), lsn: header.nextLSN - 1, hash: header.hash, epoch: header.epoch) {
    case .index(let index, let rest):
      self.index = index
      appended = header.nextLSN - 1
      // Backpressure: the log fills up faster than it is truncated.
      if rest > 0 { usleep(UInt32(rest / 1_000)) }
    case .dropped:
      // The next sync tells that it must be written again.
      index += 1
      appended = header.nextLSN - 1
    case .over(let ending): throw .fenced(reason: ending.reason, remedy: ending.remedy)
    }
  }

  var shortage: DiskError? { pipeline.hasRoom ? nil : .sharedLogFull }

  func sync() throws(LogFault) {
    switch pipeline.wait(through: index) {
    case .stored, .underWay: break
    case .dropped(let index, let lsn):
      self.index = index
      appended = lsn
      throw .full(.sharedLogFull)
    case .over(let ending): throw .fenced(reason: ending.reason, remedy: ending.remedy)
    }
  }

  /// The shared log has no files.
  func rotate() throws(LogFault) {}

  /// Everything is stored. The leadership ends by itself.
  func close() throws(DiskError) {}
}
