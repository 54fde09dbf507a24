internal import GatehouseCore

/// The contents of the files `keys` and `keys.copy`.
///
///     "GHKEYS" · version (2) · flags (2) · folder (16) · store (16) · generation (8) · length (4) · nodes · checksum (16)
///
/// Numbers are little-endian. Each node is its depth (1), its path (8) and its key (32). The checksum is the `Hash128` of
/// all bytes before it. The flags are 1 in an encrypted folder: there the nodes are sealed with a data key of the folder's
/// ring, bound to the store and the generation. So what was written before the folder was encrypted, and any copy of the
/// file, tell nothing of anybody without the operator's key; and a file can still be checked and copied without it.
struct KeyFile: Sendable, Equatable {
  /// Why bytes are no key file that this program can use.
  enum Fault: Error, Equatable {
    case missing
    case damaged(String)
    case newer(UInt16)
    case ofOtherFolder
    case failed(DiskError)
    /// The nodes cannot be opened with the keys at hand.
    case sealed(EncryptionError)

    var text: String {
      switch self {
      case .missing: "there is none"
      case .damaged(let what): what
      case .newer(let version): "it has version \(version), which a newer program has written"
      case .ofOtherFolder: "it belongs to another folder"
      case .failed(let error): error.description
      case .sealed(let error): error.description
      }
    }
  }

  static let version: UInt16 = 1
  fileprivate static let magic = Array("GHKEYS".utf8)
  fileprivate static let sealedFlag: UInt16 = 1
  private static let nodeBytes = 1 + 8 + KeyBytes.size
  /// The nodes of a million people who were forgotten one by one, and far more than anybody forgets.
  static let limit = 1 << 30

  var folder: Hash128
  /// Drawn when the store was made, so that the manifest can say which one belongs to the folder.
  var store: Hash128
  /// How often keys were destroyed.
  var generation: UInt64
  var keys: PuncturedKeys

  /// - Parameter cipher: of the folder. It seals the nodes if the folder is encrypted.
  func encoded(_ cipher: FolderCipher) -> [UInt8] {
    var nodes = encodedNodes()
    defer { nodes.wipe() }
    let stored = cipher.seal(nodes, purpose: Self.purpose(store, generation))
    var writer = ByteWriter()
    Self.magic.withUnsafeBytes { writer.raw($0) }
    Self.write(Self.version, to: &writer)
    Self.write(FolderCipher.dataKey(ofSealed: stored) == nil ? 0 : Self.sealedFlag, to: &writer)
    Self.write(folder, to: &writer)
    Self.write(store, to: &writer)
    writer.fixed64(generation)
    writer.fixed32(UInt32(stored.count))
    stored.withUnsafeBytes { writer.raw($0) }
    Self.write(writer.withBytes { Hash128(of: $0) }, to: &writer)
    return Array(writer.bytes)
  }

  private func encodedNodes() -> [UInt8] {
    var bytes: [UInt8] = []
    // Reserved, so that growing leaves no copies of keys behind.
    bytes.reserveCapacity(keys.nodes.count * Self.nodeBytes)
    for node in keys.nodes {
      bytes.append(UInt8(node.depth))
      withUnsafeBytes(of: node.path.littleEndian) { bytes.append(contentsOf: $0) }
      node.key.withBytes { bytes.append(contentsOf: $0) }
    }
    return bytes
  }

  /// What the nodes are sealed for. It has what stands in clear beside them, so that none of it can be changed.
  private static func purpose(_ store: Hash128, _ generation: UInt64) -> String {
    "key store \(store) \(generation)"
  }

  private static func write(_ value: UInt16, to writer: inout ByteWriter) {
    writer.byte(UInt8(truncatingIfNeeded: value))
    writer.byte(UInt8(truncatingIfNeeded: value >> 8))
  }

  private static func write(_ hash: Hash128, to writer: inout ByteWriter) {
    withUnsafeTemporaryAllocation(byteCount: Hash128.size, alignment: 8) { bytes in
      hash.store(to: bytes)
      writer.raw(UnsafeRawBufferPointer(bytes))
    }
  }

  init(folder: Hash128, store: Hash128, generation: UInt64, keys: PuncturedKeys) {
    self.folder = folder
    self.store = store
    self.generation = generation
    self.keys = keys
  }

  /// Opens a file that was read.
  init(_ sealed: SealedKeyFile, _ cipher: FolderCipher) throws(Fault) {
    var bytes: [UInt8]
    do throws(EncryptionError) {
      bytes =
        sealed.dataKey == 0
        ? sealed.nodes : try cipher.open(sealed.nodes, purpose: Self.purpose(sealed.store, sealed.generation))
    } catch {
      throw .sealed(error)
    }
    defer { bytes.wipe() }
    self.init(
      folder: sealed.folder, store: sealed.store, generation: sealed.generation,
      keys: try bytes.withRawBytes { bytes throws(Fault) in try Self.decode(bytes) })
  }

  private static func decode(_ bytes: UnsafeRawBufferPointer) throws(Fault) -> PuncturedKeys {
    guard bytes.count.isMultiple(of: nodeBytes) else { throw .damaged("its nodes are cut off") }
    var nodes: ContiguousArray<PuncturedKeys.Node> = []
    nodes.reserveCapacity(bytes.count / nodeBytes)
    for start in stride(from: 0, to: bytes.count, by: nodeBytes) {
      nodes.append(
        PuncturedKeys.Node(
          path: bytes.littleEndian(start + 1, as: UInt64.self), depth: Int(bytes[start]),
          key: KeyBytes(loading: UnsafeRawBufferPointer(rebasing: bytes[(start + 9)..<(start + nodeBytes)]))))
    }
    guard let keys = PuncturedKeys(nodes) else { throw .damaged("its nodes are in no order") }
    return keys
  }
}

/// A key file that was read and checked, and not opened yet. That takes no key.
struct SealedKeyFile: Sendable, Equatable {
  let bytes: [UInt8]
  let folder: Hash128
  let store: Hash128
  let generation: UInt64
  /// The number of the data key that the nodes are sealed with; 0 if they are in clear.
  let dataKey: UInt32
  fileprivate let nodes: [UInt8]

  /// Decodes a file. The checksum is verified before any value is believed.
  init(decoding bytes: [UInt8]) throws(KeyFile.Fault) {
    self = try bytes.withRawBytes { raw throws(KeyFile.Fault) in try Self.decode(raw, bytes) }
  }

  private static func decode(_ raw: UnsafeRawBufferPointer, _ bytes: [UInt8]) throws(KeyFile.Fault) -> SealedKeyFile {
    guard bytes.starts(with: KeyFile.magic) else {
      throw .damaged(bytes.isEmpty ? "it is empty" : "it is no file of keys")
    }
    guard bytes.count > KeyFile.magic.count + Hash128.size else { throw .damaged("it is cut off") }
    let content = UnsafeRawBufferPointer(rebasing: raw.dropLast(Hash128.size))
    let checksum = Hash128(loading: UnsafeRawBufferPointer(rebasing: raw.suffix(Hash128.size)))
    guard Hash128(of: content) == checksum else { throw .damaged("its checksum is wrong") }
    var reader = ByteReader(UnsafeRawBufferPointer(rebasing: content.dropFirst(KeyFile.magic.count)))
    do throws(any Error) {
      let version = UInt16(try reader.byte()) | UInt16(try reader.byte()) << 8
      let flags = UInt16(try reader.byte()) | UInt16(try reader.byte()) << 8
      guard version <= KeyFile.version, flags <= KeyFile.sealedFlag else {
        throw KeyFile.Fault.newer(max(version, KeyFile.version + 1))
      }
      let folder = Hash128(loading: try reader.raw(Hash128.size))
      let store = Hash128(loading: try reader.raw(Hash128.size))
      let generation = try reader.fixed64()
      let nodes = [UInt8](try reader.raw(Int(try reader.fixed32())))
      guard reader.isAtEnd else { throw KeyFile.Fault.damaged("it is longer than it says") }
      let dataKey = flags == 0 ? 0 : FolderCipher.dataKey(ofSealed: nodes)
      guard let dataKey else { throw KeyFile.Fault.damaged("its nodes are not sealed") }
      return SealedKeyFile(
        bytes: bytes, folder: folder, store: store, generation: generation, dataKey: dataKey, nodes: nodes)
    } catch let fault as KeyFile.Fault {
      throw fault
    } catch {
      throw .damaged("\(error)")
    }
  }

  private init(
    bytes: [UInt8], folder: Hash128, store: Hash128, generation: UInt64, dataKey: UInt32, nodes: [UInt8]
  ) {
    self.bytes = bytes
    self.folder = folder
    self.store = store
    self.generation = generation
    self.dataKey = dataKey
    self.nodes = nodes
  }
}
