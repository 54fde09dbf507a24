internal import struct GatehouseCore.RawBuffer

/// Decrypts and decompresses the bodies of frames whose hashes were checked, for callers that keep whole bodies and not records. For
/// one thread; it reuses the memory of the previous frame.
struct FrameBodies: ~Copyable {
  private var decompressor = ZstdDecompressor()
  private var body = RawBuffer()
  /// The decrypted body, still compressed.
  private var clear = RawBuffer()
  private let cipher: FolderCipher
  private let dictionaries: [UInt32: ZstdDictionary]
  private let checksContent: Bool

  /// - Parameter checksContent: whether decompressed bodies are checked against the chain. An index may skip that: the
  ///   stored bytes were checked, and whoever reads the records checks again.
  init(cipher: FolderCipher, dictionaries: [ZstdDictionary], checksContent: Bool = true) {
    self.cipher = cipher
    self.checksContent = checksContent
    self.dictionaries = Dictionary(dictionaries.map { ($0.id, $0) }) { first, _ in first }
  }

  /// The frame's body, decrypted and decompressed. Valid until the next call, and not longer than `stored`.
  mutating func body(
    of header: FrameHeader, stored: UnsafeRawBufferPointer
  ) throws(LogError) -> UnsafeRawBufferPointer {
    let stored = header.isEncrypted ? try decrypt(stored, of: header) : stored
    guard header.isCompressed else {
      // A stored body whose hash was checked needs no second check, if the chain covers the same hash.
      let isCovered = !header.isEncrypted && header.contentKey == 0
      guard isCovered ? header.contentHash.map({ $0 == header.bodyHash }) ?? true : try covers(stored, of: header)
      else {
        throw Self.misfit(header)
      }
      return stored
    }
    var dictionary: ZstdDictionary?
    if header.dictionaryID != 0 {
      dictionary = dictionaries[header.dictionaryID]
      guard dictionary != nil else {
        throw LogError(.dictionary, lsn: header.firstLSN, "dictionary \(header.dictionaryID) is not known")
      }
    }
    // The header's hash was correct and its length bounded, so this much memory can be allocated.
    body.removeAll()
    let room = body.room(Int(header.bodyLength))
    guard decompressor.decompress(stored, into: room, dictionary: dictionary) else {
      throw LogError(.corrupt, lsn: header.firstLSN, "the frame's body cannot be decompressed")
    }
    guard try covers(UnsafeRawBufferPointer(room), of: header) else { throw Self.misfit(header) }
    return UnsafeRawBufferPointer(room)
  }

  private func covers(_ body: UnsafeRawBufferPointer, of header: FrameHeader) throws(LogError) -> Bool {
    guard checksContent else { return true }
    do throws(EncryptionError) {
      return try cipher.covers(body, of: header)
    } catch {
      throw LogError(error, lsn: header.firstLSN)
    }
  }

  private mutating func decrypt(
    _ stored: UnsafeRawBufferPointer, of header: FrameHeader
  ) throws(LogError) -> UnsafeRawBufferPointer {
    let secret: SecretMemory
    do throws(EncryptionError) {
      secret = try cipher.secret(header.dataKey)
    } catch {
      throw LogError(error, lsn: header.firstLSN)
    }
    clear.removeAll()
    let count = header.clearLength
    let room = UnsafeMutableRawBufferPointer(rebasing: clear.room(max(count, 1))[..<count])
    guard header.withSealedFields({ FrameSeal.open(stored, into: room, secret, fields: $0) }) else {
      throw LogError(
        .corrupt, lsn: header.firstLSN,
        "the frame was not encrypted with data key \(header.dataKey) of this folder, or was changed since")
    }
    return UnsafeRawBufferPointer(room)
  }

  private static func misfit(_ header: FrameHeader) -> LogError {
    LogError(.corrupt, lsn: header.firstLSN, "the frame's records are not those that the chain of hashes covers")
  }

  /// The time of the newest record in a frame, as `keys` returns it; 0 if the frame has no records.
  mutating func latestTime(of frame: LogFrame, _ keys: RecordKeys) throws(LogError) -> UInt64 {
    let body = try body(of: frame.header, stored: frame.stored)
    var latest: UInt64 = 0
    var ids: [UInt64] = []
    _ = RecordCoding.forEach(in: body, count: Int(frame.header.recordCount)) { record in
      ids.removeAll(keepingCapacity: true)
      latest = max(latest, keys(record, &ids))
    }
    return latest
  }
}
