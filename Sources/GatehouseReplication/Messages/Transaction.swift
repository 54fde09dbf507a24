/// A condition on a key, as it is when the transaction is carried out.
struct Comparison: Sendable, Equatable {
  enum Target: Sendable, Equatable {
    /// How often the key was written since it was made; 0 if it is not there.
    case version(Int64)
    /// The revision that made it; 0 if it is not there.
    case createRevision(Int64)
    /// The revision that wrote it last; 0 if it is not there.
    case modRevision(Int64)
    case value([UInt8])
    case lease(Int64)
  }

  var key: [UInt8]
  /// What must be equal.
  var target: Target

  func write(to writer: inout ProtobufWriter) {
    // The result that is wanted, `EQUAL`, is 0, and so is not written.
    switch target {
    case .version(let version):
      writer.bytes(3, key)
      writer.chosenNumber(4, version)
    case .createRevision(let revision):
      writer.number(2, 1 as UInt64)
      writer.bytes(3, key)
      writer.chosenNumber(5, revision)
    case .modRevision(let revision):
      writer.number(2, 2 as UInt64)
      writer.bytes(3, key)
      writer.chosenNumber(6, revision)
    case .value(let value):
      writer.number(2, 3 as UInt64)
      writer.bytes(3, key)
      writer.chosenBytes(7, value)
    case .lease(let lease):
      writer.number(2, 4 as UInt64)
      writer.bytes(3, key)
      writer.chosenNumber(8, lease)
    }
  }
}

/// A step of a transaction.
enum Operation: Sendable, Equatable {
  /// Reads keys in their order; all of them if the limit is 0.
  case range(KeyRange, limit: Int64 = 0)
  case put(key: [UInt8], value: [UInt8], lease: Int64 = 0)
  case delete(KeyRange)

  static func get(_ key: [UInt8]) -> Operation { .range(KeyRange(key)) }

  func write(to writer: inout ProtobufWriter) {
    switch self {
    case .range(let range, let limit):
      writer.message(1) { writer in
        writer.bytes(1, range.key)
        writer.bytes(2, range.end)
        writer.number(3, limit)
      }
    case .put(let key, let value, let lease):
      writer.message(2) { writer in
        writer.bytes(1, key)
        writer.bytes(2, value)
        writer.number(3, lease)
      }
    case .delete(let range):
      writer.message(3) { writer in
        writer.bytes(1, range.key)
        writer.bytes(2, range.end)
      }
    }
  }

  fileprivate var size: Int {
    switch self {
    case .range, .delete: 256
    case .put(let key, let value, _): key.count + value.count + 32
    }
  }
}

/// Carries out some operations if all comparisons hold, and others if not, at once and under one revision.
struct TransactionRequest: ProtobufWritable, Equatable {
  var comparisons: [Comparison] = []
  var success: [Operation] = []
  var failure: [Operation] = []

  func write(to writer: inout ProtobufWriter) {
    for comparison in comparisons { writer.message(1) { comparison.write(to: &$0) } }
    for operation in success { writer.message(2) { operation.write(to: &$0) } }
    for operation in failure { writer.message(3) { operation.write(to: &$0) } }
  }

  var sizeHint: Int { success.reduce(512) { $0 + $1.size } }
}

struct TransactionResponse: EtcdResponse, Equatable {
  var header = ResponseHeader()
  var succeeded = false
  /// What each operation that was carried out found; nothing for those that do not read.
  var results: [Result] = []

  struct Result: Sendable, Equatable {
    var pairs: [KeyValue] = []
    /// Whether there are more keys than were asked for.
    var hasMore = false
  }

  mutating func set(_ field: Int, _ value: ProtobufValue) throws(ProtobufError) {
    switch field {
    case 1: header = try value.message()
    case 2: succeeded = try value.flag()
    case 3: results.append(try value.message(OperationResponse.self).result)
    default: break
    }
  }
}

private struct OperationResponse: ProtobufReadable {
  var result = TransactionResponse.Result()

  mutating func set(_ field: Int, _ value: ProtobufValue) throws(ProtobufError) {
    if field == 1 { result = try value.message() }
  }
}

extension TransactionResponse.Result: ProtobufReadable {
  mutating func set(_ field: Int, _ value: ProtobufValue) throws(ProtobufError) {
    switch field {
    case 2: pairs.append(try value.message())
    case 3: hasMore = try value.flag()
    default: break
    }
  }
}
