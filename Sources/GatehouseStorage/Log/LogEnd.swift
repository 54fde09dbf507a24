/// Where the log ends: what a writer needs to go on.
package struct LogEnd: Sendable, Equatable {
  /// The last record; one less than the first to come in a log that has none.
  package var lastLSN: UInt64
  /// The hash of the last frame: it stands for the whole log.
  package var lastHash: Hash128
  /// The largest epoch that was seen.
  package var epoch: UInt64
  /// The first LSN of the last segment; nil where there is none.
  package var segment: UInt64?
  /// Where in the last segment the next frame goes.
  package var offset: UInt64
  package var alignment: UInt64
  /// Bytes of writes that were under way when the writer stopped, which are cut off before the next write.
  package var tornBytes: UInt64 = 0
  /// Whether the log was closed in order.
  package var isClean: Bool
  /// Whether everything up to the end was synced before it was read, as a writer must know.
  package var isSynced: Bool
}

/// A place in the chain of frames: what the next one must say of itself.
package struct ChainPosition: Sendable, Equatable {
  package var nextLSN: UInt64
  package var hash: Hash128
  package var epoch: UInt64

  /// Whether a frame comes next.
  func continues(with header: FrameHeader) -> Bool {
    header.firstLSN == nextLSN && header.previousHash == hash && header.epoch >= epoch
  }

  mutating func advance(over header: FrameHeader) {
    nextLSN = header.nextLSN
    hash = header.hash
    epoch = header.epoch
  }
}
