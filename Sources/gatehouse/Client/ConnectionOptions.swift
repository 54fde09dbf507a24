import ArgumentParser
import Foundation
import GatehouseCommandLine
import GatehouseServer
import GatehouseWire

/// The options for connecting and authenticating, shared by all subcommands that talk to a server.
struct ConnectionOptions: ParsableArguments {
  @Option(help: "server to talk to, or GATEHOUSE_HOST (default: 127.0.0.1)")
  var host: String?

  @Option(help: "its TCP port, or GATEHOUSE_PORT (default: \(ServerConfiguration().port))")
  var port: Int?

  @Option(help: "name of the service to authenticate as, with --password-file")
  var user: String?

  @Option(
    help: ArgumentHelp("file with its secret; or GATEHOUSE_AUTH=name:secret instead of both", valueName: "file"))
  var passwordFile: String?

  @OptionGroup(title: "TLS") var tls: TLSOptions

  @Flag(name: .customLong("resp2"), help: "speak RESP2, as older client libraries do")
  var speaksRESP2 = false

  func validate() throws {
    if let port, !(1...65535).contains(port) { throw ValidationError("--port \(port) is not a TCP port") }
  }

  func session() throws -> ServerSession {
    let environment = ProcessInfo.processInfo.environment
    do {
      return ServerSession(
        host: host ?? environment["GATEHOUSE_HOST"] ?? ServerConfiguration().host,
        port: port ?? environment["GATEHOUSE_PORT"].flatMap { Int($0) } ?? ServerConfiguration().port,
        credentials: try Credentials.find(user: user, passwordFile: passwordFile, environment: environment),
        speaksRESP2: speaksRESP2, tls: try tls.connector())
    } catch let error as CredentialsError {
      throw ValidationError(error.description)
    }
  }
}
