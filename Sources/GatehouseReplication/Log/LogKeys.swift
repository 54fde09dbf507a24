internal import struct GatehouseStorage.Hash128

/// The keys of one folder's log in etcd.
///
/// | key | value |
/// | --- | --- |
/// | `epoch` | the newest epoch, in decimal |
/// | `tail` | where the log ends (`StoredTail`); written by every append |
/// | `start` | the first frame that is kept (`StoredStart`) |
/// | `log/<16 hexadecimal digits>` | a frame (`StoredFrame`) |
/// | `body/<index>/<epoch>/<part>` | a part of a frame that is too long for one value |
/// | `leader` | who leads, written again and again as a heartbeat (`StoredLeader`) |
/// | `ended` | an epoch whose leader has said that it has stopped, and all before it have |
/// | `handover` | which node is to lead (`StoredHandover`) |
/// | `nodes/<name>` | what a node says of itself (`StoredNode`), with a lease |
struct LogKeys: Sendable {
  let prefix: String
  let epoch: [UInt8]
  let tail: [UInt8]
  let start: [UInt8]
  let leader: [UInt8]
  let ended: [UInt8]
  let handover: [UInt8]

  /// What all keys begin with, whatever their folder.
  static let root = "/gatehouse/"

  init(_ folderID: Hash128) {
    prefix = "\(Self.root)\(folderID)/"
    epoch = Array("\(prefix)epoch".utf8)
    tail = Array("\(prefix)tail".utf8)
    start = Array("\(prefix)start".utf8)
    leader = Array("\(prefix)leader".utf8)
    ended = Array("\(prefix)ended".utf8)
    handover = Array("\(prefix)handover".utf8)
  }

  /// The folder whose key this is; nil if it is none of these.
  static func folder(of key: [UInt8]) -> Hash128? {
    let text = String(decoding: key, as: UTF8.self)
    guard text.hasPrefix(root), let id = text.dropFirst(root.count).split(separator: "/").first else { return nil }
    return Hash128(id)
  }

  /// All keys of folders behind one; of all folders without one.
  static func folders(after folderID: Hash128?) -> KeyRange {
    let all = KeyRange(prefix: Array(root.utf8))
    guard let folderID else { return all }
    return KeyRange(from: KeyRange(prefix: Array(LogKeys(folderID).prefix.utf8)).end, to: all.end)
  }

  func frame(_ index: UInt64) -> [UInt8] { Array("\(prefix)log/\(Self.hex(index))".utf8) }

  /// The index of a frame whose key this is; nil if it is a key of something else.
  func index(of key: [UInt8]) -> UInt64? {
    guard let index = UInt64(String(decoding: key.suffix(16), as: UTF8.self), radix: 16),
      index <= ProtobufValue.greatestCount, key == frame(index)
    else { return nil }
    return index
  }

  func part(_ index: UInt64, epoch: UInt64, _ part: Int) -> [UInt8] {
    Array("\(prefix)body/\(Self.hex(index))/\(Self.hex(epoch))/\(Self.hex(UInt64(part)))".utf8)
  }

  func node(_ name: String) -> [UInt8] { Array("\(prefix)nodes/\(name)".utf8) }

  var nodes: KeyRange { KeyRange(prefix: Array("\(prefix)nodes/".utf8)) }

  /// All frames from one on, and what somebody else may have put among them.
  func frames(from index: UInt64) -> KeyRange {
    KeyRange(from: frame(index), to: KeyRange(prefix: Array("\(prefix)log/".utf8)).end)
  }

  /// The frames before one, and their parts.
  func frames(before index: UInt64) -> [KeyRange] {
    ["log", "body"].map { folder in
      KeyRange(
        from: Array("\(prefix)\(folder)/\(Self.hex(0))".utf8), to: Array("\(prefix)\(folder)/\(Self.hex(index))".utf8))
    }
  }

  /// The parts of a frame that begin with one of them.
  func parts(_ index: UInt64, epoch: UInt64, from part: Int, count: Int) -> KeyRange {
    KeyRange(from: self.part(index, epoch: epoch, part), to: self.part(index, epoch: epoch, part + count))
  }

  private static func hex(_ number: UInt64) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
