/// Why bytes are not a manifest that this program can use.
enum ManifestFault: Error, Equatable {
  /// They do not say that they belong to a Gatehouse data folder.
  case otherProgram
  /// They were written for a later version of the program.
  case newer(format: UInt32, reader: UInt32)
  case damaged(String)
  /// They cannot be read.
  case failed(DiskError)
}

extension Manifest {
  /// The file's bytes.
  func encoded() -> [UInt8] {
    var lines: [(String, String)] = [
      ("program", Self.program),
      ("format", String(format)),
      ("reader", String(reader)),
      ("folder", folderID.description),
      ("partitions", String(partitionCount)),
      ("created", String(createdAt)),
      ("secret", Hexadecimal.text(secretKey.bytes)),
      ("hash-key", Hexadecimal.text(hashKey.bytes)),
    ]
    if let keyStore { lines.append(("keys", keyStore.description)) }
    if let unicodeVersion { lines.append(("unicode", unicodeVersion)) }
    if let encryption { lines.append(("encryption", "\(encryption.ring) \(encryption.signature)")) }
    if let log {
      lines += [
        ("log-epoch", String(log.epoch)), ("log-first", String(log.firstLSN)), ("log-durable", String(log.durableLSN)),
        ("log-closed", log.isClosed ? "1" : "0"),
      ]
      if log.isShared { lines.append(("log-shared", "1")) }
    }
    lines += others.map { ($0.name, $0.value) }
    let text = lines.map { "\($0) \($1)\n" }.joined()
    return Array((text + "\(Self.checksumName) \(Self.checksum(of: Array(text.utf8)))\n").utf8)
  }

  /// The lines that do not change while the folder lives, which the key ring signs.
  func lasting(ring: Hash128) -> [UInt8] {
    let lines = [
      "folder \(folderID)", "partitions \(partitionCount)", "created \(createdAt)",
      "secret \(Hexadecimal.text(secretKey.bytes))", "hash-key \(Hexadecimal.text(hashKey.bytes))", "ring \(ring)",
    ]
    return lines.flatMap { Array($0.utf8) + [0x0a] }
  }

  private static let checksumName = "checksum"

  private static func checksum(of bytes: [UInt8]) -> Hash128 {
    bytes.withUnsafeBytes { Hash128(of: $0) }
  }

  /// Decodes a manifest. The checksum is verified before any value is trusted.
  init(decoding bytes: [UInt8]) throws(ManifestFault) {
    let head = Array("program \(Self.program)\n".utf8)
    guard bytes.starts(with: head) else { throw .otherProgram }
    let sumLine = Array("\(Self.checksumName) ".utf8).count + Hash128.size * 2 + 1
    guard bytes.count > sumLine + head.count else { throw .damaged("it is cut short") }
    let body = Array(bytes.dropLast(sumLine))
    guard bytes.dropFirst(body.count).elementsEqual("\(Self.checksumName) \(Self.checksum(of: body))\n".utf8) else {
      throw .damaged("its checksum does not hold")
    }
    var values: [Substring: Substring] = [:]
    var others: [ManifestLine] = []
    for line in String(decoding: body, as: UTF8.self).split(separator: "\n") {
      guard let space = line.firstIndex(of: " ") else { throw .damaged("a line has no value") }
      let value = line[line.index(after: space)...]
      if Self.knownNames.contains(String(line[..<space])) {
        values[line[..<space]] = value
      } else {
        others.append(ManifestLine(name: String(line[..<space]), value: String(value)))
      }
    }
    try self.init(values)
    self.others = others
  }

  private static let knownNames: Set = [
    "program", "format", "reader", "folder", "partitions", "created", "secret", "hash-key", "keys", "unicode",
    "encryption", "log-epoch", "log-first", "log-durable", "log-closed",
    "log-shared",
  ]

  private init(_ values: [Substring: Substring]) throws(ManifestFault) {
    func number<Value: FixedWidthInteger>(_ name: String) throws(ManifestFault) -> Value {
      guard let text = values[name[...]], let value = Value(text) else { throw .damaged("it has no \(name)") }
      return value
    }
    func bytes(_ name: String, _ size: Int) throws(ManifestFault) -> [UInt8] {
      guard let text = values[name[...]], let value = Hexadecimal.bytes(text), value.count == size else {
        throw .damaged("it has no \(name)")
      }
      return value
    }
    format = try number("format")
    reader = try number("reader")
    // Read nothing more from a newer manifest: its other lines may have changed.
    guard reader <= Self.currentFormat else { throw .newer(format: format, reader: reader) }
    folderID = try bytes("folder", Hash128.size).withUnsafeBytes { Hash128(loading: $0) }
    partitionCount = try number("partitions")
    guard partitionCount > 0, partitionCount <= Self.partitionLimit, partitionCount & (partitionCount - 1) == 0
    else { throw .damaged("the number of partitions is no power of two") }
    createdAt = try number("created")
    secretKey = SecretBytes(try bytes("secret", Self.secretKeySize))
    hashKey = SecretBytes(try bytes("hash-key", Self.hashKeySize))
    unicodeVersion = values["unicode"].map(String.init)
    if values["keys"] != nil {
      keyStore = try bytes("keys", Hash128.size).withUnsafeBytes { Hash128(loading: $0) }
    }
    if let words = values["encryption"]?.split(separator: " ") {
      let hashes = words.compactMap { Hash128($0) }
      guard words.count == 2, hashes.count == 2 else { throw .damaged("its line about encryption is no such") }
      encryption = ManifestEncryption(ring: hashes[0], signature: hashes[1])
    }
    guard values["log-epoch"] != nil else { return }
    let isClosed: UInt8 = try number("log-closed")
    log = LogMark(
      epoch: try number("log-epoch"), firstLSN: try number("log-first"), durableLSN: try number("log-durable"),
      isClosed: isClosed != 0, isShared: values["log-shared"] == "1")
  }
}
