import GatehouseWire

/// Where the server is, and how it is connected to.
struct ServerAddress: Sendable {
  var host: String
  var port: Int
  /// nil for connections without TLS.
  var tls: TLSConnector?
}
