struct AuthenticateRequest: ProtobufWritable, Equatable {
  var name: String
  var password: String

  func write(to writer: inout ProtobufWriter) {
    writer.text(1, name)
    writer.text(2, password)
  }
}

struct AuthenticateResponse: EtcdResponse, Equatable {
  var header = ResponseHeader()
  var token = ""

  mutating func set(_ field: Int, _ value: ProtobufValue) throws(ProtobufError) {
    switch field {
    case 1: header = try value.message()
    case 2: token = try value.text()
    default: break
    }
  }
}

/// Asks a member how it is.
struct StatusRequest: ProtobufWritable, Equatable {
  func write(to writer: inout ProtobufWriter) {}
}

struct StatusResponse: EtcdResponse, Equatable {
  var header = ResponseHeader()
  var version = ""
  /// The member that leads the cluster; 0 if this one knows of none.
  var leaderID: UInt64 = 0

  mutating func set(_ field: Int, _ value: ProtobufValue) throws(ProtobufError) {
    switch field {
    case 1: header = try value.message()
    case 2: version = try value.text()
    case 4: leaderID = try value.unsigned()
    default: break
    }
  }
}
