/// The end of the log: what a writer needs to continue it.
package struct LogEnd: Sendable, Equatable {
  /// The last record; in an empty log, one less than the first to come.
  package var lastLSN: UInt64
  /// The hash of the last frame, which covers the whole log.
  package var lastHash: Hash128
  /// The largest epoch found, also if no frame that is there is of it.
  package var epoch: UInt64
  /// The epoch of the last frame.
  package var frameEpoch: UInt64 = 0
  /// The first LSN of the last segment; nil if there is none.
  package var segment: UInt64?
  /// The offset in the last segment at which the next frame goes.
  package var offset: UInt64
  package var alignment: UInt64
  /// Bytes of torn writes after the end, which are cut off before the next write.
  package var tornBytes: UInt64 = 0
  /// Whether the log was closed cleanly.
  package var isClean: Bool
  /// Whether everything up to the end was synced before it was read; a writer must know.
  package var isSynced: Bool
}

/// A position in the hash chain: what the next frame must continue.
package struct ChainPosition: Sendable, Equatable {
  package var nextLSN: UInt64
  package var hash: Hash128
  package var epoch: UInt64

  /// Whether this frame comes next.
  func continues(with header: FrameHeader) -> Bool {
    header.firstLSN == nextLSN && header.previousHash == hash && header.epoch >= epoch
  }

  mutating func advance(over header: FrameHeader) {
    nextLSN = header.nextLSN
    hash = header.hash
    epoch = header.epoch
  }
}
