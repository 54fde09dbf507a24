internal import Glibc

/// A client's choices about TLS, as its command line names them (`--tls`, `--cacert`, `--cert`, `--key`, `--sni`).
package struct ClientTLS: Sendable, Equatable {
  /// A PEM file of the authorities whose servers are believed; nil for those of the system.
  package var authorities: String?
  /// PEM files of the client's own certificate and key, if the server asks for them.
  package var certificate: String?
  package var key: String?
  /// The name for which the server's certificate must be; nil for the host's.
  package var serverName: String?

  package init(
    authorities: String? = nil, certificate: String? = nil, key: String? = nil, serverName: String? = nil
  ) {
    self.authorities = authorities
    self.certificate = certificate
    self.key = key
    self.serverName = serverName
  }

  /// From options and environment: TLS is used with `--tls` or `GATEHOUSE_TLS=yes`, and `GATEHOUSE_CACERT`,
  /// `GATEHOUSE_CERT`, `GATEHOUSE_KEY` and `GATEHOUSE_SNI` stand in for options that are not given.
  ///
  /// - Returns: nil for a connection without TLS.
  /// - Throws: if there are options of TLS without it: who gives them does not want to send secrets in the clear.
  package static func chosen(
    isOn: Bool, _ options: ClientTLS, environment: [String: String]
  ) throws(TLSError) -> ClientTLS? {
    func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    guard isOn || variable("GATEHOUSE_TLS") == "yes" else {
      if options != ClientTLS() { throw TLSError("--cacert, --cert, --key and --sni need --tls") }
      return nil
    }
    return ClientTLS(
      authorities: options.authorities ?? variable("GATEHOUSE_CACERT"),
      certificate: options.certificate ?? variable("GATEHOUSE_CERT"), key: options.key ?? variable("GATEHOUSE_KEY"),
      serverName: options.serverName ?? variable("GATEHOUSE_SNI"))
  }

}

/// Makes a client's TLS connections: the choices, with the files that they name.
package struct TLSConnector: Sendable {
  private let context: TLSContext
  private let serverName: String?

  /// Reads the files.
  package init(_ chosen: ClientTLS) throws(TLSError) {
    context = try TLSContext(
      authorities: chosen.authorities, certificate: chosen.certificate, key: chosen.key, now: Int64(time(nil)))
    serverName = chosen.serverName
  }

  /// The TLS of one connection.
  package func session(to host: String, room: TLSRoom) -> TLSSession {
    TLSSession(context, serverName: serverName ?? host, room: room)
  }
}
