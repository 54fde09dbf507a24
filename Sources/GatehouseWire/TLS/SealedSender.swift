/// The sending half of a TLS connection over something that may not take all bytes at once.
///
/// Plain bytes count as taken only when their records have left completely. Until then whoever sends keeps them, and
/// sends them again: they are skipped then, because they are sealed already.
package struct SealedSender {
  /// How many plain bytes are sealed at a time: four records.
  private static let batch = 64 * 1024

  /// Records that did not fit.
  private var unsent: ArraySlice<UInt8> = []
  /// The plain bytes that are sealed in them, and not counted as taken yet.
  private var ahead = 0

  package init() {}

  /// Bytes of memory that records take which did not fit.
  package var heldBytes: Int { unsent.count }

  /// Whether all records have left.
  package var isEmpty: Bool { unsent.isEmpty }

  /// Sends bytes, or goes on sending them.
  ///
  /// - Parameter put: sends as many bytes as possible, and returns how many.
  /// - Returns: how many plain bytes were taken, from the first on; nil if the session is of no more use.
  package mutating func send(
    _ bytes: UnsafeRawBufferPointer, by session: TLSSession, _ put: (borrowing SealedRecords) -> Int
  ) -> Int? {
    guard flush(put) else { return 0 }
    assert(ahead <= bytes.count, "bytes that were sealed are not sent again")
    var taken = ahead
    ahead = 0
    while taken < bytes.count, isEmpty {
      let count = min(Self.batch, bytes.count - taken)
      guard session.seal(UnsafeRawBufferPointer(rebasing: bytes[taken..<taken + count])) else { return nil }
      take(from: session, put)
      if isEmpty { taken += count } else { ahead = count }
    }
    return taken
  }

  /// Sends what the session has sealed, behind what did not fit before.
  package mutating func take(from session: TLSSession, _ put: (borrowing SealedRecords) -> Int) {
    session.takeSealed { records in
      let sent = isEmpty ? put(records) : 0
      if sent < records.bytes.count { unsent += records.bytes[sent...] }
    }
  }

  /// Sends what did not fit.
  ///
  /// - Returns: whether all of it has left.
  package mutating func flush(_ put: (borrowing SealedRecords) -> Int) -> Bool {
    if isEmpty { return true }
    let sent = unsent.withUnsafeBytes { put(SealedRecords($0)) }
    unsent = sent == unsent.count ? [] : unsent.dropFirst(sent)
    return isEmpty
  }
}
