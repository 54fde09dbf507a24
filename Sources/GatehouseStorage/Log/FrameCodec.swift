internal import struct GatehouseCore.RawBuffer

/// Encodes bodies into frames. For one thread; it reuses the memory of the previous frame.
struct FrameEncoder: ~Copyable {
  /// Bodies of at least this many bytes are compressed without the dictionary. They contain enough repetition
  /// themselves, and zstd copies the dictionary's tables for every frame: with it, frames of 220 sessions (17 KB) were
  /// 5 % longer and took 190 ns a record instead of 160.
  static let selfSufficient = 4096

  private var compressor: ZstdCompressor
  private var primed: ZstdCompressor
  private let dictionaryID: UInt32
  private let folderID: Hash128
  private let cipher: FolderCipher
  /// What the salts of this encoder's frames are made from; drawn with the first of them.
  private var session: SecretMemory?
  /// The compressed body, if it is to be encrypted.
  private var clear = RawBuffer()

  init(folderID: Hash128, cipher: FolderCipher, level: Int, dictionary: ZstdDictionary?) {
    self.folderID = folderID
    self.cipher = cipher
    dictionaryID = dictionary?.id ?? 0
    compressor = ZstdCompressor(level: level)
    primed = ZstdCompressor(level: level, dictionary: dictionary)
  }

  /// Replaces the content of `output` with a frame.
  /// - Parameters:
  ///   - header: everything is set except lengths, flags, keys and hashes.
  ///   - alignment: the frame is padded with zeros to a multiple of this.
  ///   - content: which key the hash of the content is made with.
  /// - Returns: the header as it was written.
  mutating func encode(
    _ header: FrameHeader, body: UnsafeRawBufferPointer, alignment: Int, content: ContentKey = .current,
    into output: inout RawBuffer
  ) -> FrameHeader {
    precondition(body.count <= LogFormat.maximumBody)
    output.removeAll()
    output.appendZeros(LogFormat.headerSize)
    var header = header
    header.bodyLength = UInt32(body.count)
    // There is nothing to hide in a frame without records.
    let key = body.isEmpty ? nil : cipher.current
    let contentKey: DataKey? =
      switch content {
      case .current: key
      case .kept(let kept): kept
      }
    header.isEncrypted = false
    header.dataKey = 0
    header.contentKey = contentKey?.number ?? 0
    if let key {
      // Two parts of one value cannot be accessed at once, so move the buffer out meanwhile.
      var clear = RawBuffer()
      swap(&clear, &self.clear)
      clear.removeAll()
      compress(body, &header, into: &clear)
      header.contentHash = hash(of: body, header, contentKey)
      let session = session ?? .random()
      self.session = session
      Self.seal(clear.bytes, &header, key, session, into: &output)
      swap(&clear, &self.clear)
    } else {
      compress(body, &header, into: &output)
    }
    header.bodyHash = Hash128(of: UnsafeRawBufferPointer(rebasing: output.bytes[LogFormat.headerSize...]))
    if key == nil {
      header.contentHash =
        header.isCompressed || contentKey != nil ? hash(of: body, header, contentKey) : header.bodyHash
    }
    header.store(to: output.mutableBytes, folderID: folderID)
    let rest = output.count % alignment
    if rest > 0 { output.appendZeros(alignment - rest) }
    return header
  }

  /// Which key the hash of a frame's content is made with.
  enum ContentKey {
    /// The data key that the body is encrypted with, if it is.
    case current
    /// That of a frame that is encoded anew, so that the chain stays as it was; nil for a hash without a key.
    case kept(DataKey?)
  }

  private func hash(of body: UnsafeRawBufferPointer, _ header: FrameHeader, _ key: DataKey?) -> Hash128 {
    key?.commit(to: body, epoch: header.epoch, firstLSN: header.firstLSN) ?? Hash128(of: body)
  }

  /// Appends the body, compressed if that makes it smaller.
  private mutating func compress(
    _ body: UnsafeRawBufferPointer, _ header: inout FrameHeader, into output: inout RawBuffer
  ) {
    // One byte less than the body: a body that does not get smaller is stored raw.
    let room = output.room(max(body.count, 1))
    let smaller = UnsafeMutableRawBufferPointer(rebasing: room[..<max(body.count - 1, 0)])
    let isPrimed = body.count < Self.selfSufficient
    if body.count > 1,
      let size = isPrimed ? primed.compress(body, into: smaller) : compressor.compress(body, into: smaller)
    {
      header.isCompressed = true
      header.dictionaryID = isPrimed ? dictionaryID : 0
      header.storedLength = UInt32(size)
      output.advance(size)
    } else {
      header.isCompressed = false
      header.dictionaryID = 0
      header.storedLength = UInt32(body.count)
      output.append(body)
    }
  }

  /// Appends the compressed body, encrypted.
  private static func seal(
    _ clear: UnsafeRawBufferPointer, _ header: inout FrameHeader, _ key: DataKey, _ session: SecretMemory,
    into output: inout RawBuffer
  ) {
    guard let secret = key.secret else { preconditionFailure("the current data key has its secret") }
    header.isEncrypted = true
    header.dataKey = key.number
    header.storedLength += UInt32(FrameSeal.overhead)
    let count = Int(header.storedLength)
    let target = UnsafeMutableRawBufferPointer(rebasing: output.room(count)[..<count])
    header.withSealedFields { FrameSeal.seal(clear, into: target, secret, session: session, fields: $0) }
    output.advance(count)
  }
}

/// Decodes the records of frames whose hashes were checked. For one thread; it reuses the memory of the previous frame.
package struct FrameDecoder: ~Copyable {
  private var bodies: FrameBodies

  /// - Parameters:
  ///   - cipher: of the folder.
  ///   - checksContent: see `FrameBodies`.
  package init(
    cipher: FolderCipher, dictionaries: [ZstdDictionary] = ZstdDictionary.known, checksContent: Bool = true
  ) {
    bodies = FrameBodies(cipher: cipher, dictionaries: dictionaries, checksContent: checksContent)
  }

  /// Hands out a frame's records with their LSNs, in order. The bytes are valid during the call only.
  package mutating func forEachRecord(
    _ header: FrameHeader, stored: UnsafeRawBufferPointer, _ handle: (UInt64, UnsafeRawBufferPointer) throws -> Void
  ) throws {
    guard header.type == .records else { return }
    let plain = try bodies.body(of: header, stored: stored)
    var lsn = header.firstLSN
    let isWhole = try RecordCoding.forEach(in: plain, count: Int(header.recordCount)) { record in
      try handle(lsn, record)
      lsn += 1
    }
    guard isWhole else {
      throw LogError(.corrupt, lsn: header.firstLSN, "the frame does not hold \(header.recordCount) records")
    }
  }
}
