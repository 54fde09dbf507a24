internal import GatehouseCore

/// The contents of the files `keys` and `keys.copy`.
///
///     "GHKEYS" · version (2) · flags (2) · folder (16) · store (16) · generation (8) · length (4) · nodes · checksum (16)
///
/// Numbers are little-endian. Each node is its depth (1), its path (8) and its key (32). The flags are 0; they are for
/// other forms of the nodes, such as one encrypted under a key that is not in the folder. The checksum is the `Hash128` of
/// all bytes before it.
struct KeyFile: Sendable, Equatable {
  /// Why bytes are no key file that this program can use.
  enum Fault: Error, Equatable {
    case missing
    case damaged(String)
    case newer(UInt16)
    case ofOtherFolder
    case failed(DiskError)

    var text: String {
      switch self {
      case .missing: "there is none"
      case .damaged(let what): what
      case .newer(let version): "it has version \(version), which a newer program has written"
      case .ofOtherFolder: "it belongs to another folder"
      case .failed(let error): error.description
      }
    }
  }

  static let version: UInt16 = 1
  private static let magic = Array("GHKEYS".utf8)
  private static let nodeBytes = 1 + 8 + KeyBytes.size
  /// The nodes of a million people who were forgotten one by one, and far more than anybody forgets.
  static let limit = 1 << 30

  var folder: Hash128
  /// Drawn when the store was made, so that the manifest can say which one belongs to the folder.
  var store: Hash128
  /// How often keys were destroyed.
  var generation: UInt64
  var keys: PuncturedKeys

  func encoded() -> [UInt8] {
    var writer = ByteWriter()
    Self.magic.withUnsafeBytes { writer.raw($0) }
    Self.write(Self.version, to: &writer)
    Self.write(0, to: &writer)
    Self.write(folder, to: &writer)
    Self.write(store, to: &writer)
    writer.fixed64(generation)
    writer.fixed32(UInt32(keys.nodes.count * Self.nodeBytes))
    for node in keys.nodes {
      writer.byte(UInt8(node.depth))
      writer.fixed64(node.path)
      node.key.withBytes { writer.raw($0) }
    }
    Self.write(writer.withBytes { Hash128(of: $0) }, to: &writer)
    return Array(writer.bytes)
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

  /// Decodes a file. The checksum is verified before any value is believed.
  init(decoding bytes: [UInt8]) throws(Fault) {
    let decoded = bytes.withUnsafeBytes { bytes -> Result<KeyFile, Fault> in
      Result { () throws(Fault) in try Self.decode(bytes) }
    }
    self = try decoded.get()
  }

  private static func decode(_ bytes: UnsafeRawBufferPointer) throws(Fault) -> KeyFile {
    guard bytes.count > Self.magic.count, bytes.prefix(Self.magic.count).elementsEqual(Self.magic) else {
      throw .damaged(bytes.isEmpty ? "it is empty" : "it is no file of keys")
    }
    guard bytes.count > Self.magic.count + Hash128.size else { throw .damaged("it is cut off") }
    let content = UnsafeRawBufferPointer(rebasing: bytes.dropLast(Hash128.size))
    let checksum = Hash128(loading: UnsafeRawBufferPointer(rebasing: bytes.suffix(Hash128.size)))
    guard Hash128(of: content) == checksum else { throw .damaged("its checksum is wrong") }
    var reader = ByteReader(UnsafeRawBufferPointer(rebasing: content.dropFirst(Self.magic.count)))
    do throws(any Error) {
      let version = UInt16(try reader.byte()) | UInt16(try reader.byte()) << 8
      let flags = UInt16(try reader.byte()) | UInt16(try reader.byte()) << 8
      guard version <= Self.version, flags == 0 else { throw Fault.newer(max(version, Self.version + 1)) }
      let folder = Hash128(loading: try reader.raw(Hash128.size))
      let store = Hash128(loading: try reader.raw(Hash128.size))
      let generation = try reader.fixed64()
      let length = Int(try reader.fixed32())
      guard length.isMultiple(of: Self.nodeBytes) else { throw Fault.damaged("its nodes are cut off") }
      var nodes: ContiguousArray<PuncturedKeys.Node> = []
      nodes.reserveCapacity(length / Self.nodeBytes)
      for _ in 0..<(length / Self.nodeBytes) {
        let depth = Int(try reader.byte())
        let path = try reader.fixed64()
        nodes.append(
          PuncturedKeys.Node(path: path, depth: depth, key: KeyBytes(loading: try reader.raw(KeyBytes.size))))
      }
      guard reader.isAtEnd, let keys = PuncturedKeys(nodes) else { throw Fault.damaged("its nodes are in no order") }
      return KeyFile(folder: folder, store: store, generation: generation, keys: keys)
    } catch let fault as Fault {
      throw fault
    } catch {
      throw .damaged("\(error)")
    }
  }
}
