internal import Crypto
internal import FoundationEssentials
internal import Glibc

/// The data keys of a folder, as the file `keyring` keeps them: text that an operator can read, with the keys in one
/// line sealed under the master key.
///
/// ```
/// program gatehouse-keyring
/// format 1
/// reader 1
/// folder 5f0c… (16 bytes)
/// ring 77ab… (16 bytes)
/// sequence 3
/// master 1f2e3d4c5b6a7988
/// current 2
/// noted 1
/// keys 1 2
/// salt 03b7… (32 bytes)
/// sealed 9ae1…
/// checksum c4d2… (16 bytes)
/// ```
///
/// `current` is the data key of new files, 0 if they are not encrypted. `noted` is 0 while the trail does not tell of the
/// newest change of the keys; rings of earlier versions do not say, and count as noted. The seal covers all lines before it. The
/// checksum, of all bytes before its line, tells damage from a wrong key.
struct KeyRing: Sendable {
  static let format: UInt32 = 1
  static let program = "gatehouse-keyring"

  let folderID: Hash128
  /// Drawn when the ring is made. The manifest repeats it, so that a lost ring is noticed.
  let id: Hash128
  /// Counts the times it was written.
  var sequence: UInt64 = 0
  var keys: [DataKey] = []
  var current: UInt32 = 0
  /// Whether the trail tells of the newest change of the keys.
  var isNoted = true
  /// Signs the manifest.
  private(set) var manifestKey: SecretMemory

  /// A new ring with one key.
  init(folderID: Hash128) {
    self.folderID = folderID
    var bytes = [UInt8](repeating: 0, count: Hash128.size)
    bytes.withUnsafeMutableBytes { fillRandom($0) }
    id = bytes.withUnsafeBytes { Hash128(loading: $0) }
    manifestKey = .random()
    beginKey()
  }

  /// Adds a data key for what is written from now on.
  mutating func beginKey() {
    let number = (keys.last?.number ?? 0) + 1
    keys.append(DataKey(number: number, createdAt: UInt64(max(0, time(nil))), secret: .random()))
    current = number
  }

  /// Signs the manifest with another key from now on: this one was, or will be, anybody's.
  mutating func renewManifestKey() { manifestKey = .random() }

  func key(_ number: UInt32) -> DataKey? { keys.first { $0.number == number } }

  /// Takes from an earlier state of the ring the secrets that were retired since.
  mutating func keep(_ before: KeyRing) {
    keys = keys.map { key in key.secret == nil ? before.key(key.number) ?? key : key }
  }

  /// Whether it can decrypt what is encrypted with these data keys.
  func opens(_ numbers: Set<UInt32>) -> Bool { numbers.allSatisfy { key($0)?.secret != nil } }

  /// Forgets the secrets of data keys that no file needs any more.
  mutating func retire(allBut used: Set<UInt32>) {
    keys = keys.map { used.contains($0.number) || $0.number == current ? $0 : $0.retired }
  }
}

/// A key ring that was read, and not opened yet.
struct SealedKeyRing: Sendable {
  let folderID: Hash128
  let id: Hash128
  let sequence: UInt64
  /// The id of the master key.
  let master: String
  let current: UInt32
  let isNoted: Bool
  /// The numbers of the data keys.
  let numbers: [UInt32]
  fileprivate let salt: [UInt8]
  fileprivate let sealed: [UInt8]
  fileprivate let head: [UInt8]
}

extension KeyRing {
  private static let saltSize = 32

  /// The file's bytes.
  func sealed(under master: MasterKey) -> [UInt8] {
    var salt = [UInt8](repeating: 0, count: Self.saltSize)
    salt.withUnsafeMutableBytes { fillRandom($0) }
    let head = [
      "program \(Self.program)", "format \(Self.format)", "reader \(Self.format)", "folder \(folderID)", "ring \(id)",
      "sequence \(sequence)", "master \(master.id)", "current \(current)", "noted \(isNoted ? 1 : 0)",
      "keys \(keys.map { String($0.number) }.joined(separator: " "))", "salt \(Hexadecimal.text(salt))",
    ].map { $0 + "\n" }.joined()
    var plain = encodedKeys()
    defer { plain.wipe() }
    var target = [UInt8](repeating: 0, count: plain.count + Sealing.tagSize)
    let headBytes = Array(head.utf8)
    target.withUnsafeMutableBytes { target in
      plain.withUnsafeBytes { plain in
        headBytes.withUnsafeBytes {
          Sealing.seal(plain, into: target, master.wrappingKey(salt: salt), authenticating: $0)
        }
      }
    }
    let body = headBytes + Array("sealed \(Hexadecimal.text(target))\n".utf8)
    let checksum = body.withUnsafeBytes { Hash128(of: $0) }
    return body + Array("checksum \(checksum)\n".utf8)
  }

  /// The signing key, then a data key: number u32, created u64, whether it has its secret u8, secret, content key.
  private func encodedKeys() -> [UInt8] {
    var bytes: [UInt8] = []
    // Reserved, so that growing leaves no copies of keys behind.
    bytes.reserveCapacity(SecretMemory.size + keys.count * Self.entrySize)
    manifestKey.withBytes { bytes.append(contentsOf: $0) }
    for key in keys {
      withUnsafeBytes(of: key.number.littleEndian) { bytes.append(contentsOf: $0) }
      withUnsafeBytes(of: key.createdAt.littleEndian) { bytes.append(contentsOf: $0) }
      bytes.append(key.secret == nil ? 0 : 1)
      if let secret = key.secret {
        secret.withBytes { bytes.append(contentsOf: $0) }
      } else {
        bytes.append(contentsOf: repeatElement(0, count: SecretMemory.size))
      }
      key.commitment.withBytes { bytes.append(contentsOf: $0) }
    }
    return bytes
  }

  private static let entrySize = 13 + 2 * SecretMemory.size

  fileprivate init(_ ring: SealedKeyRing, keys bytes: UnsafeRawBufferPointer) throws(EncryptionError) {
    let count = ring.numbers.count
    guard bytes.count == SecretMemory.size + count * Self.entrySize else {
      throw .ringDamaged("its keys are cut short")
    }
    func secret(_ offset: Int) -> SecretMemory {
      SecretMemory(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + SecretMemory.size]))
    }
    folderID = ring.folderID
    id = ring.id
    sequence = ring.sequence
    current = ring.current
    isNoted = ring.isNoted
    manifestKey = secret(0)
    for index in 0..<count {
      let start = SecretMemory.size + index * Self.entrySize
      let hasSecret = bytes[start + 12] != 0
      keys.append(
        DataKey(
          number: bytes.littleEndian(start, as: UInt32.self), createdAt: bytes.littleEndian(start + 4, as: UInt64.self),
          secret: hasSecret ? secret(start + 13) : nil, commitment: secret(start + 13 + SecretMemory.size)))
    }
    guard keys.map(\.number) == ring.numbers, current == 0 || key(current)?.secret != nil else {
      throw .ringDamaged("its keys are not those it names")
    }
  }
}

extension SealedKeyRing {
  /// Reads the file. The checksum is verified before anything is believed.
  init(decoding bytes: [UInt8], folderID: Hash128) throws(EncryptionError) {
    func damaged(_ reason: String) -> EncryptionError { .ringDamaged(reason) }
    let sumLine = "checksum ".utf8.count + Hash128.size * 2 + 1
    guard bytes.starts(with: Array("program \(KeyRing.program)\n".utf8)) else { throw damaged("it is no key ring") }
    guard bytes.count > sumLine else { throw damaged("it is cut short") }
    let body = Array(bytes.dropLast(sumLine))
    let checksum = body.withUnsafeBytes { Hash128(of: $0) }
    guard bytes.dropFirst(body.count).elementsEqual("checksum \(checksum)\n".utf8) else {
      throw damaged("its checksum does not hold")
    }
    var values: [Substring: Substring] = [:]
    let text = String(decoding: body, as: UTF8.self)
    for line in text.split(separator: "\n") {
      guard let space = line.firstIndex(of: " ") else { throw damaged("a line has no value") }
      values[line[..<space]] = line[line.index(after: space)...]
    }
    func value<Value>(_ name: String, _ read: (Substring) -> Value?) throws(EncryptionError) -> Value {
      guard let text = values[name[...]], let value = read(text) else { throw damaged("it has no \(name)") }
      return value
    }
    let reader = try value("reader") { UInt32($0) }
    guard reader <= KeyRing.format else { throw .ringNewer(reader: reader) }
    self.folderID = try value("folder") { Hash128($0) }
    id = try value("ring") { Hash128($0) }
    sequence = try value("sequence") { UInt64($0) }
    master = try value("master") { String($0) }
    current = try value("current") { UInt32($0) }
    isNoted = values["noted"] != "0"
    numbers = try value("keys") { text in
      let numbers = text.split(separator: " ").map { UInt32($0) }
      return numbers.contains(nil) ? nil : numbers.compactMap { $0 }
    }
    salt = try value("salt") { Hexadecimal.bytes($0) }
    sealed = try value("sealed") { Hexadecimal.bytes($0) }
    head = text.split(separator: "\n").prefix { !$0.hasPrefix("sealed ") }.flatMap { Array($0.utf8) + [0x0a] }
    guard self.folderID == folderID else { throw .ringForeign }
  }

  /// Opens it. A wrong key is told by its id, before anything is decrypted.
  func opened(with master: MasterKey) throws(EncryptionError) -> KeyRing {
    guard master.id == self.master else { throw .wrongKey(given: master.id, needed: self.master) }
    guard sealed.count > Sealing.tagSize else { throw .ringDamaged("its keys are cut short") }
    var plain = [UInt8](repeating: 0, count: sealed.count - Sealing.tagSize)
    defer { plain.wipe() }
    let isSound = plain.withUnsafeMutableBytes { plain in
      sealed.withUnsafeBytes { sealed in
        head.withUnsafeBytes { Sealing.open(sealed, into: plain, master.wrappingKey(salt: salt), authenticating: $0) }
      }
    }
    guard isSound else { throw .ringDamaged("its keys do not open, though the master key is the right one") }
    return try plain.withRawBytes { bytes throws(EncryptionError) in try KeyRing(self, keys: bytes) }
  }
}
