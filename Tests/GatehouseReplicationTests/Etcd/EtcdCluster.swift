#if Replication
  import Foundation
  import GatehouseStorage
  import GatehouseTestSupport

  @testable import GatehouseReplication

  /// Members of etcd on this machine, for one test.
  final class EtcdCluster {
    struct Options {
      var members = 1
      /// Certificates for clients; nil for none.
      var authority: TestAuthority?
      var quotaBytes: Int?
    }

    static let program = findProgram("etcd")
    static let isInstalled = program != nil && findProgram("etcdctl") != nil

    private let folder: TemporaryFolder
    private let options: Options
    private let ports: [(client: UInt16, peer: UInt16)]
    /// Who etcdctl is.
    private let identity: TestAuthority.Identity?
    private var processes: [ChildProcess?] = []

    init(_ options: Options = Options()) async throws {
      self.options = options
      folder = try TemporaryFolder("etcd")
      identity = try options.authority?.issue("root")
      ports = try (0..<options.members).map { _ in (try FreePort.next(), try FreePort.next()) }
      for index in 0..<options.members { processes.append(try start(index)) }
      try await waitUntilReady()
    }

    private var scheme: String { options.authority == nil ? "http" : "https" }

    private func start(_ index: Int, isNew: Bool = true) throws -> ChildProcess {
      let (client, peer) = ports[index]
      let all = ports.enumerated().map { "m\($0)=http://127.0.0.1:\($1.peer)" }.joined(separator: ",")
      var arguments = [
        "--name", "m\(index)", "--data-dir", dataFolder(index),
        "--listen-client-urls", "\(scheme)://127.0.0.1:\(client)",
        "--advertise-client-urls", "\(scheme)://127.0.0.1:\(client)",
        "--listen-peer-urls", "http://127.0.0.1:\(peer)", "--initial-advertise-peer-urls", "http://127.0.0.1:\(peer)",
        "--initial-cluster", all, "--initial-cluster-state", "new", "--initial-cluster-token", folder.path,
        "--logger", "zap", "--log-outputs", "stderr", "--log-level", "error",
      ]
      if let authority = options.authority {
        arguments += [
          "--cert-file", authority.serverCertificate, "--key-file", authority.serverKey,
          "--trusted-ca-file", authority.certificate, "--client-cert-auth",
        ]
      }
      if let bytes = options.quotaBytes { arguments += ["--quota-backend-bytes", "\(bytes)"] }
      return try ChildProcess(Self.program ?? "etcd", arguments, errors: folder.path("m\(index).log"))
    }

    func dataFolder(_ index: Int) -> String { folder.path("m\(index)") }

    private func waitUntilReady() async throws {
      let deadline = ContinuousClock.now + .seconds(30 * Patience.factor)
      while true {
        if (try? await control(["endpoint", "health"]))?.succeeded ?? false { return }
        guard ContinuousClock.now < deadline else {
          throw TestFailure("etcd did not start: \(readText(folder.path("m0.log")).suffix(2_000))")
        }
        try await Task.sleep(for: .milliseconds(50))
      }
    }

    /// Runs etcdctl.
    @discardableResult
    func control(_ arguments: [String]) async throws -> ProgramResult {
      let endpoints = ports.map { "\(scheme)://127.0.0.1:\($0.client)" }.joined(separator: ",")
      var all = ["--endpoints", endpoints, "--dial-timeout", "2s", "--command-timeout", "5s"]
      if let authority = options.authority, let identity {
        all += ["--cacert", authority.certificate, "--cert", identity.certificate, "--key", identity.key]
      }
      return try await Self.run(all + arguments)
    }

    /// Waits for etcdctl on a thread of its own: the shared log's tasks need Swift's threads, of which there are few.
    private static func run(_ arguments: [String]) async throws -> ProgramResult {
      try await withCheckedThrowingContinuation { continuation in
        PosixThread {
          continuation.resume(
            with: Result { try runProgram("etcdctl", arguments, environment: ["ETCDCTL_API": "3"]) })
        }.detach()
      }
    }

    func kill(_ index: Int) {
      processes[index]?.kill()
      processes[index] = nil
    }

    func restart(_ index: Int) throws { processes[index] = try start(index) }

    func signal(_ index: Int, _ number: Int32) { processes[index]?.signal(number) }

    /// Which member leads the others.
    func leader() async throws -> Int { try await leadingMember().index }

    /// … and its id in etcd.
    func leadingMember() async throws -> (index: Int, id: UInt64) {
      for index in 0..<options.members {
        let status = try await Self.run([
          "--endpoints", "http://127.0.0.1:\(ports[index].client)", "endpoint", "status",
        ])
        // Endpoint, member, version, size, whether it leads, and more.
        let fields = status.output.split(separator: ", ")
        if fields.count > 4, fields[4] == "true", let id = UInt64(fields[1], radix: 16) { return (index, id) }
      }
      throw TestFailure("no member of etcd leads")
    }

    var address: String {
      (options.authority == nil ? "etcd://" : "etcds://")
        + ports.map { "127.0.0.1:\($0.client)" }.joined(separator: ",")
    }

    /// - Parameter leaseMilliseconds: long, unless a test waits for its end: a short lease leaves little time for each call,
    ///   and ends by itself on a busy machine.
    func settings(leaseMilliseconds: Int = 10_000) -> ReplicationSettings {
      var settings = ReplicationSettings(address: address)
      settings.leaseMilliseconds = leaseMilliseconds
      settings.authorityFile = options.authority?.certificate
      return settings
    }

    /// A shared log on it, of a folder.
    func open(
      _ settings: ReplicationSettings? = nil, folder: Hash128 = Hash128(high: 0xAB, low: 1)
    ) async throws -> EtcdLog {
      let log = try await EtcdProvider().open(settings ?? self.settings(), folderID: folder)
      guard let log = log as? EtcdLog else { throw TestFailure("another log") }
      return log
    }
  }

  /// A node that needs no server.
  func testNode(_ name: String) -> NodeEntry { NodeEntry(name: name, host: "127.0.0.1", port: 7000, version: "1") }

  extension AppendPipeline {
    /// Adds a frame that stands for one of a writer.
    func add(_ number: UInt64, bytes: Int = 100, epoch: UInt64) -> Acceptance {
      let frame = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: bytes)
      return add(frame, lsn: number, hash: Hash128(high: 9, low: number), epoch: epoch)
    }
  }
#endif
