/// A message that is sent to etcd.
protocol ProtobufWritable: Sendable {
  func write(to writer: inout ProtobufWriter)
  /// About how long the message is.
  var sizeHint: Int { get }
}

extension ProtobufWritable {
  var sizeHint: Int { 128 }
}

/// At the head of every answer.
struct ResponseHeader: ProtobufReadable, Sendable, Equatable {
  var clusterID: UInt64 = 0
  var memberID: UInt64 = 0
  /// How many changes etcd's store has seen. An answer of a call that went through etcd's consensus never has a smaller
  /// one than an answer that came before the call.
  var revision: Int64 = 0
  /// The term of the member that leads the cluster; every other leader has a term of its own.
  var term: UInt64 = 0

  mutating func set(_ field: Int, _ value: ProtobufValue) throws(ProtobufError) {
    switch field {
    case 1: clusterID = try value.unsigned()
    case 2: memberID = try value.unsigned()
    case 3: revision = try value.signed()
    case 4: term = try value.unsigned()
    default: break
    }
  }
}

/// An answer, whatever else it says.
protocol EtcdResponse: ProtobufReadable, Sendable {
  var header: ResponseHeader { get }
}

/// A key with its value.
struct KeyValue: ProtobufReadable, Sendable, Equatable {
  var key: [UInt8] = []
  /// The revision that made the key, and the one that changed it last.
  var createRevision: Int64 = 0
  var modRevision: Int64 = 0
  /// How often it was written since it was made.
  var version: Int64 = 0
  var value: [UInt8] = []
  /// The lease that it goes with; 0 for none.
  var lease: Int64 = 0

  mutating func set(_ field: Int, _ value: ProtobufValue) throws(ProtobufError) {
    switch field {
    case 1: key = try value.bytes()
    case 2: createRevision = try value.signed()
    case 3: modRevision = try value.signed()
    case 4: version = try value.signed()
    case 5: self.value = try value.bytes()
    case 6: lease = try value.signed()
    default: break
    }
  }
}

/// The keys from one to before another, or a single key.
struct KeyRange: Sendable, Equatable {
  var key: [UInt8]
  /// Empty for a single key.
  var end: [UInt8] = []

  init(_ key: [UInt8]) { self.key = key }

  init(from key: [UInt8], to end: [UInt8]) {
    self.key = key
    self.end = end
  }

  /// All keys that begin like this. The last byte must not be 255.
  init(prefix: [UInt8]) {
    key = prefix
    end = prefix
    end[end.count - 1] += 1
  }

  func contains(_ other: [UInt8]) -> Bool {
    end.isEmpty ? other == key : !other.lexicographicallyPrecedes(key) && other.lexicographicallyPrecedes(end)
  }
}

/// Forgets what keys were before a revision. What they are now is kept.
struct CompactionRequest: ProtobufWritable, Equatable {
  var revision: Int64

  func write(to writer: inout ProtobufWriter) { writer.number(1, revision) }
}

/// An answer that says nothing else.
struct HeaderResponse: EtcdResponse, Equatable {
  var header = ResponseHeader()

  mutating func set(_ field: Int, _ value: ProtobufValue) throws(ProtobufError) {
    if field == 1 { header = try value.message() }
  }
}
