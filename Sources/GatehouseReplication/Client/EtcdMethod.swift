#if Replication
  internal import GRPCCore

  /// A call of etcd's interface, and how its messages are written and read.
  struct EtcdMethod<Request: ProtobufWritable, Response: EtcdResponse>: Sendable {
    let descriptor: MethodDescriptor
    let writer = MessageWriter<Request>()
    let reader = MessageReader<Response>()

    init(_ service: String, _ method: String) {
      descriptor = MethodDescriptor(fullyQualifiedService: "etcdserverpb.\(service)", method: method)
    }
  }

  extension EtcdMethod where Request == TransactionRequest, Response == TransactionResponse {
    static let transact = EtcdMethod("KV", "Txn")
  }

  extension EtcdMethod where Request == CompactionRequest, Response == HeaderResponse {
    static let compact = EtcdMethod("KV", "Compact")
  }

  extension EtcdMethod where Request == LeaseGrantRequest, Response == LeaseResponse {
    static let grantLease = EtcdMethod("Lease", "LeaseGrant")
  }

  extension EtcdMethod where Request == LeaseRequest, Response == LeaseResponse {
    static let keepAlive = EtcdMethod("Lease", "LeaseKeepAlive")
  }

  extension EtcdMethod where Request == LeaseRequest, Response == HeaderResponse {
    static let revokeLease = EtcdMethod("Lease", "LeaseRevoke")
  }

  extension EtcdMethod where Request == WatchRequest, Response == WatchResponse {
    static let watch = EtcdMethod("Watch", "Watch")
  }

  extension EtcdMethod where Request == AuthenticateRequest, Response == AuthenticateResponse {
    static let authenticate = EtcdMethod("Auth", "Authenticate")
  }

  extension EtcdMethod where Request == StatusRequest, Response == StatusResponse {
    static let status = EtcdMethod("Maintenance", "Status")
  }

  struct MessageWriter<Message: ProtobufWritable>: MessageSerializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ message: Message) throws -> Bytes {
      var writer = ProtobufWriter()
      writer.reserve(message.sizeHint)
      message.write(to: &writer)
      return Bytes(writer.bytes)
    }
  }

  struct MessageReader<Message: ProtobufReadable & Sendable>: MessageDeserializer {
    func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> Message {
      try bytes.withUnsafeBytes { try Message(reading: $0) }
    }
  }
#endif
