import Foundation
import GatehouseWire
import Synchronization

/// A real server process on a free loopback port, with its own data folder.
///
/// It ends with the value, or with the test process. After `kill()` or `terminate()` it can be started again on the
/// same folder and port.
package final class TestServer: Sendable {
  /// How the server is started.
  package struct Options: Sendable {
    /// Event loops, and the partitions of a new data folder.
    package var layout: Layout
    /// More command-line arguments, which override the others.
    package var arguments: [String] = []
    package var environment: [String: String?] = [:]
    /// Whose certificates a TLS listener uses; nil for none. With `clientsMust` set, clients must show one.
    package var authority: TestAuthority?
    package var clientsMust = false
    /// Whether HTTP is served too, on `httpPort`, and over TLS on `httpsPort` if there is an authority.
    package var servesHTTP = false
    /// A program with arguments that runs the server (`strace …`).
    package var wrapper: [String] = []
    /// How long to wait until the server answers.
    package var patience: Duration = .seconds(60)

    package init(lanes: Int? = nil, arguments: [String] = [], wrapper: [String] = []) {
      self.init(Layout(lanes: lanes ?? Layout.usual.lanes), arguments: arguments, wrapper: wrapper)
    }

    package init(_ layout: Layout, arguments: [String] = [], wrapper: [String] = []) {
      self.layout = layout
      self.arguments = arguments
      self.wrapper = wrapper
    }
  }

  /// What survives a restart: the folder with `data` and the server's log messages.
  package let folder: TemporaryFolder
  package let port: UInt16
  /// Where it listens with TLS, if it does.
  package let tlsPort: UInt16
  package let httpPort: UInt16
  package let httpsPort: UInt16
  private let options: Options
  private let process = Mutex<ChildProcess?>(nil)

  package var dataPath: String { folder.path("data") }
  private var messagesPath: String { folder.path("messages") }

  /// Starts a server and waits until it is ready.
  ///
  /// - Parameter folder: an existing folder, to open another server's data.
  package init(_ options: Options = Options(), folder: TemporaryFolder? = nil) throws {
    self.options = options
    self.folder = try folder ?? TemporaryFolder("server")
    port = try FreePort.next()
    tlsPort = try FreePort.next()
    httpPort = try FreePort.next()
    httpsPort = try FreePort.next()
    try start()
  }

  deinit { kill() }

  // MARK: Life

  /// Starts the server again, on the same folder and port, and waits until it is ready.
  ///
  /// - Parameter lanes: another number of event loops; each start may choose.
  package func start(lanes: Int? = nil) throws {
    // Locked: if another thread is killing the server, wait for its end.
    let child = try process.withLock { running in
      let child = try launch(lanes: lanes)
      running = child
      return child
    }
    try waitUntilReady(child)
  }

  /// Starts a server with the same options without waiting for it, and leaves it to the caller, for interrupted starts.
  package func launch(lanes: Int? = nil) throws -> ChildProcess {
    let serve = [
      try GatehouseProgram.path(), "serve", "--data", dataPath, "--host", "127.0.0.1", "--port", String(port),
      "--lanes", String(lanes ?? options.layout.lanes), "--http-port", String(options.servesHTTP ? httpPort : 0),
    ]
    var environment = options.environment
    // Tests run beside each other on all cores, so that no core is ever idle.
    environment["GATEHOUSE_PASSWORD_PRIORITY"] = environment["GATEHOUSE_PASSWORD_PRIORITY"] ?? "normal"
    // Only for a new folder; a later start would warn that the choice is ignored.
    if let partitions = options.layout.partitions, !FileManager.default.fileExists(atPath: dataPath) {
      environment["GATEHOUSE_PARTITIONS"] = String(partitions)
    }
    var tls: [String] = []
    if let authority = options.authority {
      tls = [
        "--tls-port", String(tlsPort), "--tls-cert-file", authority.serverCertificate, "--tls-key-file",
        authority.serverKey, "--tls-ca-cert-file", authority.certificate,
        "--tls-auth-clients", options.clientsMust ? "yes" : "optional",
      ]
      if options.servesHTTP { tls += ["--https-port", String(httpsPort)] }
    }
    let words = options.wrapper + serve + tls + options.arguments
    return try ChildProcess(
      words[0], Array(words.dropFirst()), environment: environment, output: messagesPath,
      errors: messagesPath)
  }

  /// SIGKILL: the process cannot write anything more.
  package func kill() {
    process.withLock { child in
      child?.kill()
      child = nil
    }
  }

  /// Asks the server to end, and returns how it did.
  @discardableResult
  package func terminate(with signal: Int32 = SIGTERM, within limit: Duration = .seconds(30)) throws -> ProcessEnd {
    guard let child = process.withLock({ $0 }) else { throw TestFailure("the server is not running") }
    child.signal(signal)
    guard let end = child.wait(upTo: limit * Patience.factor) else {
      kill()
      throw TestFailure("the server did not end within \(limit) of the signal; its messages:\n\(messages)")
    }
    process.withLock { $0 = nil }
    return end
  }

  /// Waits until the server ends by itself.
  package func waitForEnd(upTo limit: Duration = .seconds(30)) -> ProcessEnd? {
    process.withLock { $0 }?.wait(upTo: limit * Patience.factor)
  }

  package var isRunning: Bool { process.withLock { $0 }.map { $0.poll() == nil } ?? false }

  package var pid: Int32? { process.withLock { $0?.pid } }

  /// What the server has written to its standard error so far, over all its starts.
  package var messages: String { readText(messagesPath) }

  // MARK: Connections

  /// A client on a new connection.
  package func client(_ version: ClientVersion = .resp3) throws -> Client {
    let timeout = Duration.seconds(30) * Patience.factor
    let client = Client(try BlockingClient(host: "127.0.0.1", port: Int(port), timeout: timeout))
    if version == .resp3 { try client.ok("HELLO 3") }
    return client
  }

  /// A client on a new connection over TLS.
  ///
  /// - Parameter identity: the client's own certificate, if it shows one.
  package func tlsClient(_ identity: TestAuthority.Identity? = nil, name: String? = nil) throws -> Client {
    let timeout = Duration.seconds(30) * Patience.factor
    let tls = try TLSConnector(
      ClientTLS(
        authorities: options.authority?.certificate, certificate: identity?.certificate, key: identity?.key,
        serverName: name))
    return Client(try BlockingClient(host: "127.0.0.1", port: Int(tlsPort), tls: tls, timeout: timeout))
  }

  /// A connection without a protocol to the TLS listener.
  package func rawTLSConnection() throws -> RawConnection {
    try RawConnection(port: tlsPort, patience: .seconds(20) * Patience.factor)
  }

  /// A connection without a protocol.
  package func rawConnection(patience: Duration = .seconds(20), receiveBuffer: Int32? = nil) throws -> RawConnection {
    try RawConnection(port: port, patience: patience * Patience.factor, receiveBuffer: receiveBuffer)
  }

  // MARK: -

  /// Sends PING until the answer is PONG; during the replay it is `LOADING`. A server that asks for authentication is
  /// ready, too.
  private func waitUntilReady(_ child: ChildProcess) throws {
    let deadline = ContinuousClock.now + options.patience
    while ContinuousClock.now < deadline {
      if let end = child.poll() {
        throw TestFailure("the server ended while starting (\(end)); its messages:\n\(messages.suffix(4_000))")
      }
      if let connection = try? RawConnection(port: port), (try? connection.send("PING\r\n")) != nil,
        let answer = try? connection.receiveLine(), answer == "+PONG" || answer.hasPrefix("-NOAUTH")
      {
        return
      }
      pause(.milliseconds(5))
    }
    throw TestFailure("the server was not ready within \(options.patience); its messages:\n\(messages.suffix(4_000))")
  }
}

/// The protocol version a test client speaks.
package enum ClientVersion: Sendable, CaseIterable {
  case resp2, resp3
}
