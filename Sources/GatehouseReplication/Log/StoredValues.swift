internal import GatehouseStorage

/// A value that is stored in etcd. All are messages of protobuf, so that a node of an older version passes over what it
/// does not know.
///
/// Whatever stands under a key, reading it is safe: numbers are bounded, so that adding to them cannot overflow.
protocol StoredValue: ProtobufReadable, Sendable {
  func write(to writer: inout ProtobufWriter)

  /// Refuses values that no node writes.
  func check() throws(ProtobufError)
}

extension StoredValue {
  func check() throws(ProtobufError) {}

  var stored: [UInt8] {
    var writer = ProtobufWriter()
    write(to: &writer)
    return writer.bytes
  }

  /// Reads the value of a key; nil if it is not there.
  init?(_ pair: KeyValue?, as name: String) throws(SharedLogError) {
    guard let pair else { return nil }
    do throws(ProtobufError) {
      self = try pair.value.withUnsafeBufferPointer { bytes throws(ProtobufError) in
        try Self(reading: UnsafeRawBufferPointer(bytes))
      }
      try check()
    } catch {
      throw .damaged("the value of \"\(name)\" in etcd is \(error.what)")
    }
  }
}

/// Where the log ends.
struct StoredTail: StoredValue, Equatable {
  var tail = SharedTail(index: 0, lsn: 0, hash: .zero, epoch: 0)
  /// The epoch of the leader that wrote it.
  var writer: UInt64 = 0
  /// How many bytes of frames were appended since the log was begun.
  var bytes: UInt64 = 0

  func write(to writer: inout ProtobufWriter) {
    writer.number(1, tail.index)
    writer.number(2, tail.lsn)
    writer.bytes(3, tail.hash.bytes)
    writer.number(4, tail.epoch)
    writer.number(5, self.writer)
    writer.number(6, bytes)
  }

  mutating func set(_ field: Int, _ value: ProtobufValue) throws(ProtobufError) {
    switch field {
    case 1: tail.index = try value.count()
    case 2: tail.lsn = try value.count()
    case 3: tail.hash = try value.hash()
    case 4: tail.epoch = try value.count()
    case 5: writer = try value.count()
    case 6: bytes = try value.count()
    default: break
    }
  }
}

/// The first frame that is kept.
struct StoredStart: StoredValue, Equatable {
  var index: UInt64 = 0
  /// How many bytes the frames before it had.
  var bytes: UInt64 = 0

  func write(to writer: inout ProtobufWriter) {
    writer.number(1, index)
    writer.number(2, bytes)
  }

  mutating func set(_ field: Int, _ value: ProtobufValue) throws(ProtobufError) {
    switch field {
    case 1: index = try value.count()
    case 2: bytes = try value.count()
    default: break
    }
  }

  func check() throws(ProtobufError) {
    guard index > 0 else { throw ProtobufError(what: "no index of a frame") }
  }
}

/// A frame, or where its parts are.
struct StoredFrame: StoredValue, Equatable {
  /// How many bytes the frames before it had (`StoredTail.bytes`).
  var offset: UInt64 = 0
  var frame: [UInt8] = []
  /// If the frame is too long for one value: how many parts it has, the epoch they were written in, and its length.
  var parts: UInt64 = 0
  var partsEpoch: UInt64 = 0
  var length: UInt64 = 0

  func write(to writer: inout ProtobufWriter) {
    writer.reserve(frame.count + 64)
    writer.number(1, offset)
    writer.bytes(2, frame)
    writer.number(3, parts)
    writer.number(4, partsEpoch)
    writer.number(5, length)
  }

  mutating func set(_ field: Int, _ value: ProtobufValue) throws(ProtobufError) {
    switch field {
    case 1: offset = try value.count()
    case 2: frame = try value.bytes()
    case 3: parts = try value.count()
    case 4: partsEpoch = try value.unsigned()
    case 5: length = try value.count()
    default: break
    }
  }
}

/// What a node says of itself.
struct StoredNode: StoredValue, Equatable {
  var entry = NodeEntry(name: "", host: "", port: 0, version: "")

  func write(to writer: inout ProtobufWriter) {
    writer.text(1, entry.name)
    writer.text(2, entry.host)
    writer.number(3, UInt64(entry.port))
    writer.text(4, entry.version)
    writer.number(5, entry.index)
    writer.number(6, entry.lsn)
    writer.bytes(7, entry.hash.bytes)
    writer.number(8, entry.snapshotLSN)
    writer.flag(9, !entry.isCandidate)
    writer.number(10, entry.instance)
  }

  mutating func set(_ field: Int, _ value: ProtobufValue) throws(ProtobufError) {
    switch field {
    case 1: entry.name = try value.text()
    case 2: entry.host = try value.text()
    case 3:
      guard let port = UInt16(exactly: try value.unsigned()) else { throw ProtobufError(what: "an impossible port") }
      entry.port = Int(port)
    case 4: entry.version = try value.text()
    case 5: entry.index = try value.count()
    case 6: entry.lsn = try value.count()
    case 7: entry.hash = try value.hash()
    case 8: entry.snapshotLSN = try value.count()
    case 9: entry.isCandidate = try !value.flag()
    case 10: entry.instance = try value.unsigned()
    default: break
    }
  }
}

/// Who leads. Every time it is written is a heartbeat.
struct StoredLeader: StoredValue, Equatable {
  var node = StoredNode()
  var epoch: UInt64 = 0
  /// Tells two attempts to lead apart, even if they are of the same node.
  var attempt: UInt64 = 0
  /// For how long after a heartbeat the leader may believe that it leads.
  var leaseMilliseconds: UInt64 = 0
  /// The same of the leaders before it, as long as they may: it has replaced one whose lease had not ended. 0 once all have.
  var earlierMilliseconds: UInt64 = 0

  /// How long the heartbeat must be the same until nobody believes any more that it leads.
  var longestMilliseconds: UInt64 { max(leaseMilliseconds, earlierMilliseconds) }

  /// The longest lease that a node may have.
  static let mostMilliseconds: UInt64 = 60_000

  /// What stands for a value that cannot be read: somebody may lead, with any lease.
  static let unreadable = StoredLeader(leaseMilliseconds: mostMilliseconds)

  func write(to writer: inout ProtobufWriter) {
    writer.message(1) { node.write(to: &$0) }
    writer.number(2, epoch)
    writer.number(3, attempt)
    writer.number(4, leaseMilliseconds)
    writer.number(5, earlierMilliseconds)
  }

  mutating func set(_ field: Int, _ value: ProtobufValue) throws(ProtobufError) {
    switch field {
    case 1: node = try value.message()
    case 2: epoch = try value.count()
    case 3: attempt = try value.unsigned()
    case 4: leaseMilliseconds = try value.unsigned()
    case 5: earlierMilliseconds = try value.unsigned()
    default: break
    }
  }

  func check() throws(ProtobufError) {
    guard longestMilliseconds <= Self.mostMilliseconds else {
      throw ProtobufError(what: "a lease of more than a minute")
    }
  }
}

/// Asks the leader of an epoch to hand over to a node, and what it has answered.
struct StoredHandover: StoredValue, Equatable {
  var request = HandoverRequest(node: "", epoch: 0, number: 0)

  func write(to writer: inout ProtobufWriter) {
    writer.text(1, request.node)
    writer.number(2, request.epoch)
    writer.number(3, request.number)
    switch request.answer {
    case .pending: break
    case .taken: writer.flag(4, true)
    case .refused(let why): writer.text(5, why)
    }
  }

  mutating func set(_ field: Int, _ value: ProtobufValue) throws(ProtobufError) {
    switch field {
    case 1: request.node = try value.text()
    case 2: request.epoch = try value.count()
    case 3: request.number = try value.unsigned()
    case 4: if try value.flag() { request.answer = .taken }
    case 5: request.answer = .refused(try value.text())
    default: break
    }
  }
}

/// Epochs are stored as text, so that a transaction can compare them and an operator can read them.
enum StoredEpoch {
  static func stored(_ epoch: UInt64) -> [UInt8] { Array(String(epoch).utf8) }

  /// The epoch in a key's value; 0 if it is not there.
  static func read(_ pair: KeyValue?, as name: String) throws(SharedLogError) -> UInt64 {
    guard let pair else { return 0 }
    guard let epoch = UInt64(String(decoding: pair.value, as: UTF8.self)) else {
      throw .damaged("the value of \"\(name)\" in etcd is no number")
    }
    guard epoch <= ProtobufValue.greatestCount else {
      throw .damaged("the value of \"\(name)\" in etcd is a number beyond all bounds")
    }
    return epoch
  }
}

extension Hash128 {
  fileprivate var bytes: [UInt8] {
    [UInt8](unsafeUninitializedCapacity: Self.size) { buffer, count in
      store(to: UnsafeMutableRawBufferPointer(buffer))
      count = Self.size
    }
  }
}

extension ProtobufValue {
  fileprivate func hash() throws(ProtobufError) -> Hash128 {
    let bytes = try bytes()
    guard bytes.count == Hash128.size else { throw ProtobufError(what: "a hash of \(bytes.count) bytes") }
    return bytes.withUnsafeBytes { Hash128(loading: $0) }
  }
}
