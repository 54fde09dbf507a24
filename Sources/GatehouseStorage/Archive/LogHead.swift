/// The newest record, and a hash that proves it and every record before it. Noted where nobody with write access to the
/// data folder can reach it, a head reveals later whether anything up to it was changed or cut off.
package struct LogHead: Sendable, Equatable, CustomStringConvertible {
  /// 0 in a log without records.
  package var lsn: UInt64
  /// The chain hash of the frame that ends with the record; if there is none, the genesis hash of the folder's id.
  package var hash: Hash128

  package init(lsn: UInt64, hash: Hash128) {
    self.lsn = lsn
    self.hash = hash
  }

  /// Parses what `description` writes: `LSN:HASH`.
  package init?(_ text: some StringProtocol) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let lsn = UInt64(parts[0]), let hash = Hash128(parts[1]) else { return nil }
    self.init(lsn: lsn, hash: hash)
  }

  package var description: String { "\(lsn):\(hash)" }
}

extension History {
  /// The head of a log that ends with a durable record.
  package func head(through last: UInt64) throws -> LogHead {
    guard last > 0 else { return LogHead(lsn: 0, hash: LogFormat.genesis(folder.manifest.folderID)) }
    guard let hash = try hashes(endingWith: last).first else {
      throw LogError(.corrupt, lsn: last, "no frame ends with record \(last), though it is the last durable one")
    }
    return LogHead(lsn: last, hash: hash)
  }

  /// The head as of the last frame that ends with a record or before it. It is the same on every node that has the record.
  package func headOfFrame(through lsn: UInt64) throws -> LogHead {
    var found: LogHead?
    try forEachFrame(lsn...lsn) { frame in
      if found == nil {
        let header = frame.header
        found =
          header.nextLSN == lsn + 1
          ? LogHead(lsn: lsn, hash: header.hash) : LogHead(lsn: header.firstLSN - 1, hash: header.previousHash)
      }
      return true
    }
    guard let found else {
      throw LogError(.missing, lsn: lsn, "the record is not kept any more")
    }
    return found
  }

  /// Checks a noted head against a history whose chain is sound.
  /// - Parameter last: the last durable record.
  /// - Returns: what contradicts the head; nil if nothing does.
  package func objection(to head: LogHead, through last: UInt64) throws -> String? {
    if head.lsn > last {
      return "the log ends with record \(last), before \(head.lsn) of the head: its end was cut off, or the head is of "
        + "another folder"
    }
    if head.lsn > 0, let first = try firstLSN(), head.lsn < first {
      return "the history begins with record \(first), and record \(head.lsn) of the head is no longer kept: hold it "
        + "against a newer head"
    }
    let found = head.lsn == 0 ? [try self.head(through: 0).hash] : try hashes(endingWith: head.lsn)
    if found.contains(head.hash) { return nil }
    return found.isEmpty
      ? "no frame ends with record \(head.lsn), as that of the head did: something up to it was changed, or the head is of "
        + "another folder"
      : "up to record \(head.lsn) the chain has the hash \(found[0]), and the head \(head.hash): something up to it was "
        + "changed, or the head is of another folder"
  }

  /// The hashes of the frames that end with a record: its own frame, and clean-end frames right after it.
  private func hashes(endingWith lsn: UInt64) throws -> [Hash128] {
    var hashes: [Hash128] = []
    try forEachFrame(lsn...lsn) { frame in
      if frame.header.nextLSN == lsn + 1 { hashes.append(frame.header.hash) }
      return true
    }
    return hashes
  }
}
