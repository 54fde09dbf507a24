import ArgumentParser
import Foundation
package import GatehouseWire

/// The options about TLS of every program that connects to a server, named as in redis-cli.
package struct TLSOptions: ParsableArguments {
  @Flag(name: .customLong("tls"), help: "connect with TLS, or GATEHOUSE_TLS=yes")
  package var isOn = false

  @Option(
    name: .customLong("cacert"),
    help: ArgumentHelp(
      "PEM file of the authorities to believe, or GATEHOUSE_CACERT (default: the system's)", valueName: "file"))
  var authorities: String?

  @Option(
    name: .customLong("cert"),
    help: ArgumentHelp("PEM file of the client's certificate, or GATEHOUSE_CERT", valueName: "file"))
  var certificate: String?

  @Option(
    name: .customLong("key"),
    help: ArgumentHelp("PEM file of its private key, or GATEHOUSE_KEY", valueName: "file"))
  var key: String?

  @Option(
    name: .customLong("sni"),
    help: ArgumentHelp(
      "name that the server's certificate must have, or GATEHOUSE_SNI (default: the host)", valueName: "name"))
  var serverName: String?

  package init() {}

  /// What TLS connections are made with; nil for connections without TLS. The files are read once.
  ///
  /// - Throws: `ValidationError`, which says what is wrong with the options or a file.
  package func connector() throws -> TLSConnector? {
    do throws(TLSError) {
      let chosen = try ClientTLS.chosen(
        isOn: isOn,
        ClientTLS(authorities: authorities, certificate: certificate, key: key, serverName: serverName),
        environment: ProcessInfo.processInfo.environment)
      return try chosen.map { (chosen) throws(TLSError) in try TLSConnector(chosen) }
    } catch {
      throw ValidationError(error.description)
    }
  }
}
