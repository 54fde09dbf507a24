/// When a record counts as durable.
package enum LogDurability: Sendable, Equatable {
  /// Once its frame is synced.
  case always
  /// Once its frame is written; a sync follows within this many milliseconds. A crash of the process loses nothing, a
  /// power loss may lose that much.
  case interval(milliseconds: Int)
}

/// How the log is written. What the files have fixed already is read from their headers.
package struct LogOptions: Sendable {
  package var durability = LogDurability.always
  /// The size of a segment file. A larger frame gets a segment of its own.
  package var segmentBytes: UInt64 = 64 << 20
  /// Frames begin at multiples of this. It is the unit that the disk writes atomically, 512 or 4096.
  package var alignment: UInt64 = 512
  /// A body is complete once it has this many bytes.
  package var maximumFrameBytes = 1 << 20
  /// Backpressure: with more accepted bytes than this not durable yet, records are refused as `busy`.
  package var maximumPendingBytes = 32 << 20
  /// A thread that calls `LogWriter.commit` writes and syncs up to this many records itself; with 0, the writer's own
  /// thread always does. Meant for a program in which one thread accepts nearly all records and has little to do until
  /// they are durable.
  package var inlineRecords = 0
  /// zstd's level. The default is a fast one, because one thread compresses for everybody: level 1 makes frames hardly
  /// smaller than -1 and takes 1.3 to 1.6 times as long; -3 is faster and makes them 4 to 20 % longer.
  package var compressionLevel = -1
  /// The dictionaries that frames may have been compressed with; the first is used for new ones.
  package var dictionaries = ZstdDictionary.known
  /// How often the witness is updated while records are written, in milliseconds.
  package var witnessMilliseconds = 100
  /// How often to check that the folder's files are still the same, in milliseconds.
  package var lookMilliseconds = 500
  /// Whether new segments are filled with zeros. On ext4 a sync took 130 µs on zeroed space and 200 µs on space that
  /// was only allocated, because there the file system must also record that the space is now in use.
  package var fillsSegments = true
  /// Bugs that tests plant, to prove that they would find them.
  package var sabotage: LogSabotage = []

  package init() {}

  func validate() {
    precondition(alignment == 512 || alignment == 4096, "frames are aligned to 512 or 4096 bytes")
    precondition(segmentBytes >= 2 * LogFormat.segmentStart, "a segment has at least 8192 bytes")
    precondition(maximumFrameBytes > 0 && maximumFrameBytes <= LogFormat.maximumBody - LogFormat.maximumRecord - 16)
    precondition(witnessMilliseconds > 0)
  }
}

/// Bugs that a log could have. Only tests set any.
package struct LogSabotage: OptionSet, Sendable {
  package let rawValue: Int

  package init(rawValue: Int) { self.rawValue = rawValue }

  package static let skipSync = LogSabotage(rawValue: 1 << 0)
  package static let acknowledgeEarly = LogSabotage(rawValue: 1 << 1)
  package static let skipDirectorySync = LogSabotage(rawValue: 1 << 2)
  package static let retrySync = LogSabotage(rawValue: 1 << 3)
  package static let ignoreWriteErrors = LogSabotage(rawValue: 1 << 4)
  package static let skipBodyHash = LogSabotage(rawValue: 1 << 5)
  package static let skipChain = LogSabotage(rawValue: 1 << 6)
  package static let skipWitness = LogSabotage(rawValue: 1 << 7)
  package static let skipScanOn = LogSabotage(rawValue: 1 << 8)
  package static let keepTornTail = LogSabotage(rawValue: 1 << 9)
  package static let unalignedFrames = LogSabotage(rawValue: 1 << 10)
  package static let eagerWitness = LogSabotage(rawValue: 1 << 11)
}
