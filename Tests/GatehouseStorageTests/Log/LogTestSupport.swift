import GatehouseStorage
import Synchronization
import Testing

/// A log on a disk, with segments so small that a few records fill them.
struct TestLog: Sendable {
  let location: LogLocation
  var options = LogOptions()

  static let folderID = Hash128(high: 0x0123_4567_89AB_CDEF, low: 0xFEDC_BA98_7654_3210)

  init(_ disk: any Disk, directory: String = "/log") {
    location = LogLocation(
      disk: disk, directory: directory, folderID: Self.folderID,
      cipher: Encrypted.cipher(folderID: Self.folderID))
    options.segmentBytes = 16 << 10
    options.maximumFrameBytes = 4 << 10
    options.fillsSegments = false
  }

  /// A new simulated disk with a durable, empty folder for the log.
  static func onSimulatedDisk() throws -> (SimulatedDisk, TestLog) {
    let disk = SimulatedDisk()
    try disk.createDirectory("/log")
    try disk.syncDirectory("/")
    return (disk, TestLog(disk))
  }

  /// The same log seen through another disk.
  func on(_ disk: any Disk) -> TestLog {
    var log = TestLog(disk, directory: location.directory)
    log.options = options
    return log
  }

  /// Reads everything, like a start.
  func recover(forWriting: Bool = true, from lsn: UInt64 = 1) throws -> (records: [[UInt8]], end: LogEnd) {
    var records: [[UInt8]] = []
    var next = lsn
    let end = try LogRecovery(location, options: options, forWriting: forWriting).replay(from: lsn) { lsn, record in
      #expect(lsn == next)
      next += 1
      records.append([UInt8](copying: record))
    }
    #expect(end.lastLSN == next - 1)
    return (records, end)
  }

  /// A writer driven by the test, after a recovery.
  func openDriven(_ handlers: LogHandlers = LogHandlers()) throws -> LogWriter {
    let end = try recover().end
    return try LogWriter(location, continuing: end, options: options, handlers: handlers, isDriven: true)
  }

  func open(_ handlers: LogHandlers = LogHandlers()) throws -> LogWriter {
    let end = try recover().end
    return try LogWriter(location, continuing: end, options: options, handlers: handlers)
  }
}

extension LogWriter {
  @discardableResult
  func append(_ record: [UInt8], at time: Int64 = 0) throws(LogRefusal) -> UInt64 {
    try record.withUnsafeBufferPointer { bytes throws(LogRefusal) in
      try append(UnsafeRawBufferPointer(bytes), at: time)
    }
  }

  /// Returns once a record is durable, or the log has failed.
  func waitUntilDurable(_ lsn: UInt64) async {
    while durableLSN < lsn, state == .open || state == .full { try? await Task.sleep(for: .microseconds(200)) }
  }
}

extension [UInt8] {
  /// Like `Array(bytes)`, without a call for each byte.
  init(copying bytes: UnsafeRawBufferPointer) {
    self.init(unsafeUninitializedCapacity: bytes.count) { buffer, count in
      UnsafeMutableRawBufferPointer(buffer).copyMemory(from: bytes)
      count = bytes.count
    }
  }
}

/// A record that contains its number; the number also decides its length. Part of it is compressible.
func testRecord(_ number: UInt64, seed: UInt64 = 0) -> [UInt8] {
  var random = SplitMix64(seed: number &* 977 &+ seed)
  var noise: [UInt64] = []
  for _ in 0..<random.next() % 8 { noise.append(random.next()) }
  let zeros = [UInt8](repeating: 7, count: Int(random.next() % 80))
  return Array("record \(number) of the test".utf8) + noise.withUnsafeBytes { [UInt8](copying: $0) } + zeros
}
