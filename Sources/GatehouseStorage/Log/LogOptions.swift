/// When a record counts as durable.
package enum LogDurability: Sendable, Equatable {
  /// Once its frame is synced.
  case always
  /// Once its frame is written; a sync follows within so many milliseconds. A process that dies loses nothing, a
  /// machine that does may lose that much.
  case interval(milliseconds: Int)
}

/// How the log is written. What is fixed in the files already, their headers say.
package struct LogOptions: Sendable {
  package var durability = LogDurability.always
  /// The bytes of a segment file; a frame that is larger gets a segment of its own.
  package var segmentBytes: UInt64 = 64 << 20
  /// Frames begin at multiples of this: the unit in which the disk writes all or nothing, 512 or 4096.
  package var alignment: UInt64 = 512
  /// A body is ended once it has this many bytes.
  package var maximumFrameBytes = 1 << 20
  /// Accepted and not yet durable bytes, above which records are refused as `busy`.
  package var maximumPendingBytes = 32 << 20
  /// A thread that calls `LogWriter.commit` writes and syncs up to so many records itself; with 0 the writer's own thread
  /// always does. For a program of which one thread accepts nearly all records, and has little to do until they are
  /// durable.
  package var inlineRecords = 0
  /// zstd's level: the writer's one thread compresses, so the fastest is the default.
  package var compressionLevel = 1
  /// The dictionaries that frames may have been written with; new ones are written with the first.
  package var dictionaries = ZstdDictionary.known
  /// How often the witness is renewed while records are written, in milliseconds.
  package var witnessMilliseconds = 100
  /// How often it is looked whether the files are still the ones in the folder, in milliseconds.
  package var lookMilliseconds = 500
  /// Whether segments are filled with zeros when they are made. A sync of zeroed space took 130 µs where one of space
  /// that was only allocated took 200 (ext4): the file system need not record that the space is now in use.
  package var fillsSegments = true
  /// Bugs that tests plant to prove that they would find them.
  package var sabotage: LogSabotage = []

  package init() {}

  func validate() {
    precondition(alignment == 512 || alignment == 4096, "frames are aligned to 512 or 4096 bytes")
    precondition(segmentBytes >= 2 * LogFormat.segmentStart, "a segment has at least 8192 bytes")
    precondition(maximumFrameBytes > 0 && maximumFrameBytes <= LogFormat.maximumBody - LogFormat.maximumRecord - 16)
    precondition(witnessMilliseconds > 0)
  }
}

/// Bugs, each one that a log could have had. Only tests set any.
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
