internal import Synchronization

/// Decoded parts of the history that were read lately: stretches of the log and blocks of the archive.
///
/// To read a part costs far more than what is looked for in it: its bytes are read, hashed, decrypted and decompressed, and
/// hashed again. The pages of a trail, and the trails of people whose records lie together, come from the same parts. What
/// is kept is bounded in bytes; what was not used for longest goes first.
package final class HistoryCache: Sendable {
  /// Identifies a part by its content, so that a file put in the place of another is another.
  struct Key: Hashable {
    /// The hash of the frame before a stretch, or of an archive file.
    let hash: Hash128
    /// The offset of a stretch, or the number of a block.
    let place: UInt64
    /// The end of a stretch; the newest one grows. 0 for a block.
    let end: UInt64
  }

  private struct State {
    var parts: [Key: (part: DecodedPart, used: UInt64)] = [:]
    var bytes = 0
    var uses: UInt64 = 0
  }

  private let limit: Int
  private let state = Mutex(State())

  package init(limit: Int = 32 << 20) { self.limit = limit }

  /// Bytes of memory in use.
  package var bytes: Int { state.withLock(\.bytes) }

  /// A part, decoded now if it is not there. Several readers may decode the same at once.
  func part(_ key: Key, _ decode: () throws -> DecodedPart) rethrows -> DecodedPart {
    let known = state.withLock { state -> DecodedPart? in
      state.uses += 1
      state.parts[key]?.used = state.uses
      return state.parts[key]?.part
    }
    if let known { return known }
    let part = try decode()
    state.withLock { state in
      guard state.parts[key] == nil, part.memory <= limit / 4 else { return }
      state.parts[key] = (part, state.uses)
      state.bytes += part.memory
      if state.bytes > limit { shrink(&state) }
    }
    return part
  }

  /// Makes room for some more at once, so that not every part that comes has to look for the oldest.
  private func shrink(_ state: inout State) {
    for (key, entry) in state.parts.sorted(by: { $0.value.used < $1.value.used }) {
      guard state.bytes > limit / 8 * 7 else { return }
      state.parts[key] = nil
      state.bytes -= entry.part.memory
    }
  }
}

/// Consecutive records, as they were encoded.
final class DecodedPart: Sendable {
  private let bytes: [UInt8]
  /// Where each record begins, and the end of the last.
  private let starts: [UInt32]
  private let firstLSN: UInt64

  /// - Parameters:
  ///   - firstLSN: the number of the first record.
  ///   - read: hands out all records, in order.
  init(from firstLSN: UInt64, _ read: ((UnsafeRawBufferPointer) -> Void) throws -> Void) rethrows {
    var bytes: [UInt8] = []
    var starts: [UInt32] = [0]
    try read { record in
      bytes.append(contentsOf: record)
      starts.append(UInt32(bytes.count))
    }
    self.bytes = bytes
    self.starts = starts
    self.firstLSN = firstLSN
  }

  var memory: Int { bytes.capacity + starts.capacity * MemoryLayout<UInt32>.stride }

  /// Calls `body` with the records that can have one of some keys.
  ///
  /// - Returns: false if `body` has stopped.
  func forEachRecord(
    _ marks: RecordMarks, in range: ClosedRange<UInt64>, newestFirst: Bool, _ body: History.Handler
  ) throws -> Bool {
    try bytes.withUnsafeBytes { bytes in
      let found = marks.records(in: bytes, starts) ?? Array(0..<starts.count - 1)
      for index in newestFirst ? found.reversed() : found {
        let lsn = firstLSN + UInt64(index)
        guard range.contains(lsn) else { continue }
        let record = UnsafeRawBufferPointer(rebasing: bytes[Int(starts[index])..<Int(starts[index + 1])])
        guard try body(lsn, record) else { return false }
      }
      return true
    }
  }
}
