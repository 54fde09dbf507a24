/// What is sent on the stream of a watch.
enum WatchRequest: ProtobufWritable, Equatable {
  /// Begins to watch keys, from a revision on.
  case create(KeyRange, startRevision: Int64)
  /// Asks for an answer once everything was handed out.
  case progress

  func write(to writer: inout ProtobufWriter) {
    switch self {
    case .create(let range, let startRevision):
      writer.message(1) { writer in
        writer.bytes(1, range.key)
        writer.bytes(2, range.end)
        writer.number(3, startRevision)
        // Splits an answer that is longer than a request may be.
        writer.flag(8, true)
      }
    case .progress: writer.message(3) { _ in }
    }
  }
}

/// A change of a key.
struct WatchEvent: ProtobufReadable, Sendable, Equatable {
  var isDeletion = false
  /// Of a deletion it has only the key and the revision.
  var pair = KeyValue()

  mutating func set(_ field: Int, _ value: ProtobufValue) throws(ProtobufError) {
    switch field {
    case 1: isDeletion = try value.unsigned() == 1
    case 2: pair = try value.message()
    default: break
    }
  }
}

struct WatchResponse: EtcdResponse, Equatable {
  var header = ResponseHeader()
  var isCreated = false
  var isCanceled = false
  /// Set if changes were asked for that were compacted: the first revision that is kept.
  var compactRevision: Int64 = 0
  var cancelReason = ""
  var events: [WatchEvent] = []

  /// Adds the next answer of the same watch, so that both are one.
  mutating func append(_ next: WatchResponse) {
    header = next.header
    isCreated = isCreated || next.isCreated
    isCanceled = isCanceled || next.isCanceled
    compactRevision = max(compactRevision, next.compactRevision)
    if !next.cancelReason.isEmpty { cancelReason = next.cancelReason }
    events += next.events
  }

  mutating func set(_ field: Int, _ value: ProtobufValue) throws(ProtobufError) {
    switch field {
    case 1: header = try value.message()
    case 3: isCreated = try value.flag()
    case 4: isCanceled = try value.flag()
    case 5: compactRevision = try value.signed()
    case 6: cancelReason = try value.text()
    case 11: events.append(try value.message())
    default: break
    }
  }
}
