#if Replication
  internal import GRPCCore
  internal import GRPCNIOTransportHTTP2Posix
  internal import GatehouseStorage

  /// The connection to one member of etcd. It is made when it is first used, and again whenever it breaks, and ends with the
  /// value.
  final class EtcdMember: Sendable {
    let name: String
    let client: GRPCClient<HTTP2ClientTransport.Posix>
    private let running: Task<Void, Never>

    init(_ member: EtcdAddress.Member, usesTLS: Bool, _ credentials: EtcdCredentials) throws(SharedLogError) {
      name = member.description
      let client: GRPCClient<HTTP2ClientTransport.Posix>
      do {
        client = GRPCClient(
          transport: try .http2NIOPosix(
            target: Self.target(member), transportSecurity: Self.security(usesTLS, credentials), config: Self.config))
      } catch {
        throw .refused("the certificates for etcd cannot be used: \(error)")
      }
      self.client = client
      running = Task { try? await client.runConnections() }
    }

    deinit {
      client.beginGracefulShutdown()
      running.cancel()
    }

    /// Ends all calls and the connection, and waits for that.
    func close() async {
      client.beginGracefulShutdown()
      running.cancel()
      await running.value
    }

    private static func target(_ member: EtcdAddress.Member) -> any ResolvableTarget {
      if member.isIPv4 { return .ipv4(address: member.host, port: member.port) }
      if member.isIPv6 { return .ipv6(address: member.host, port: member.port) }
      return .dns(host: member.host, port: member.port)
    }

    private static func security(
      _ usesTLS: Bool, _ credentials: EtcdCredentials
    ) -> HTTP2ClientTransport.Posix.TransportSecurity {
      guard usesTLS else { return .plaintext }
      return .tls { tls in
        if let file = credentials.authorityFile {
          tls.trustRoots = .certificates([.file(path: file, format: .pem)])
        }
        if let certificate = credentials.certificateFile, let key = credentials.keyFile {
          tls.certificateChain = [.file(path: certificate, format: .pem)]
          tls.privateKey = .file(path: key, format: .pem)
        }
      }
    }

    private static var config: HTTP2ClientTransport.Posix.Config {
      .defaults { config in
        // A connection over which nothing comes is found out. etcd refuses clients that ask more often than every 5 s.
        config.connection.keepalive = HTTP2ClientTransport.Config.Keepalive(
          time: .seconds(6), timeout: .seconds(3), allowWithoutCalls: false)
        // An append must leave at once: waiting for more would be paid by every command.
        config.connection.flushCoalescing = nil
        config.backoff = HTTP2ClientTransport.Config.Backoff(
          initial: .milliseconds(100), max: .seconds(1), multiplier: 1.6, jitter: 0.2)
      }
    }
  }
#endif
