/// Makes a lease, whose keys go when it ends.
struct LeaseGrantRequest: ProtobufWritable, Equatable {
  var seconds: Int64

  func write(to writer: inout ProtobufWriter) { writer.number(1, seconds) }
}

/// A lease by its number: the request that revokes it, and the one that keeps it alive.
struct LeaseRequest: ProtobufWritable, Equatable {
  var lease: Int64

  func write(to writer: inout ProtobufWriter) { writer.number(1, lease) }
}

/// The answer to a grant and to a keep-alive.
struct LeaseResponse: EtcdResponse, Equatable {
  var header = ResponseHeader()
  var lease: Int64 = 0
  /// For how long; not more than 0 if there is no such lease any more.
  var seconds: Int64 = 0

  mutating func set(_ field: Int, _ value: ProtobufValue) throws(ProtobufError) {
    switch field {
    case 1: header = try value.message()
    case 2: lease = try value.signed()
    case 3: seconds = try value.signed()
    default: break
    }
  }
}
