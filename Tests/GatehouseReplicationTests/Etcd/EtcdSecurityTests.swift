#if Replication
  import Foundation
  import GatehouseStorage
  import GatehouseTestSupport
  import Testing

  @testable import GatehouseReplication

  /// Certificates and passwords.
  @Suite("Who may use etcd", .enabled(if: EtcdCluster.isInstalled, "etcd is not installed"), .serialized)
  struct EtcdSecurityTests {
    private static let genesis = SharedTail(index: 0, lsn: 0, hash: .zero, epoch: 0)

    @Test(.enabled(if: findProgram("openssl") != nil)) func certificatesAreShownAndChecked() async throws {
      var options = EtcdCluster.Options()
      let authority = try TestAuthority()
      options.authority = authority
      let cluster = try await EtcdCluster(options)
      let client = try authority.issue("gatehouse")
      var settings = cluster.settings()
      settings.certificateFile = client.certificate
      settings.keyFile = client.key
      let log = try await cluster.open(settings)
      try await log.begin(at: Self.genesis)
      let leadership = try await EtcdLogTests.lead(log)
      _ = leadership.pipeline.add(1, epoch: leadership.epoch)
      #expect(await EtcdLogTests.stored(leadership, 1) == .stored)
      await log.leave()

      // Without a certificate of its own, and with an authority that etcd's is not from.
      await #expect(throws: SharedLogError.self) { _ = try await cluster.open() }
      settings.authorityFile = try TestAuthority("another").certificate
      await #expect(throws: SharedLogError.self) { _ = try await cluster.open(settings) }
      settings.authorityFile = "/nowhere"
      await #expect(throws: SharedLogError.refused("/nowhere cannot be read")) { _ = try await cluster.open(settings) }
      settings.authorityFile = nil
      settings.keyFile = nil
      await #expect(
        throws: SharedLogError.refused("a client's certificate and its key belong together: set both or neither")
      ) { _ = try await cluster.open(settings) }
    }

    @Test func aUserAndItsRoleDecide() async throws {
      let cluster = try await EtcdCluster()
      let folder = try TemporaryFolder("passwords")
      try "secret\n".write(toFile: folder.path("good"), atomically: true, encoding: .utf8)
      try "wrong\n".write(toFile: folder.path("bad"), atomically: true, encoding: .utf8)
      for command in [
        ["user", "add", "root:root"], ["user", "grant-role", "root", "root"], ["role", "add", "nodes"],
        ["role", "grant-permission", "nodes", "--prefix=true", "readwrite", "/gatehouse/"],
        ["user", "add", "gatehouse:secret"], ["user", "grant-role", "gatehouse", "nodes"],
        ["user", "add", "stranger:secret"], ["auth", "enable"],
      ] {
        let result = try await cluster.control(command)
        #expect(result.succeeded, "\(command): \(result.errors)")
      }
      var settings = cluster.settings()
      settings.user = "gatehouse"
      settings.passwordFile = folder.path("good")
      let log = try await cluster.open(settings)
      try await log.begin(at: Self.genesis)
      let leadership = try await EtcdLogTests.lead(log)
      _ = leadership.pipeline.add(1, epoch: leadership.epoch)
      #expect(await EtcdLogTests.stored(leadership, 1) == .stored)
      // etcd forgets its tokens with its process.
      cluster.kill(0)
      try cluster.restart(0)
      _ = leadership.pipeline.add(2, epoch: leadership.epoch)
      #expect(await EtcdLogTests.stored(leadership, 2) == .stored)
      await log.leave()

      func reason(_ user: String?, _ file: String?) async -> String {
        settings.user = user
        settings.passwordFile = file
        do {
          let log = try await cluster.open(settings)
          defer { Task { await log.leave() } }
          _ = try await log.status()
          return "none"
        } catch {
          return "\(error)"
        }
      }
      #expect(await reason("gatehouse", folder.path("bad")).contains("check the user and the password"))
      #expect(await reason("stranger", folder.path("good")).contains("give the user's role read and write access"))
      #expect(await reason(nil, nil).contains("this etcd wants a user"))
      #expect(await reason("gatehouse", nil).contains("the user \"gatehouse\" without a password file"))
    }

    @Test func whatCannotBeReachedIsNamed() async throws {
      let port = try FreePort.next()
      await #expect {
        _ = try await EtcdProvider().open(
          ReplicationSettings(address: "etcd://127.0.0.1:\(port),localhost:\(port)"), folderID: .zero)
      } throws: { error in
        guard case SharedLogError.unreachable(let text) = error else { return false }
        return text.contains("127.0.0.1:\(port)") && text.contains("localhost:\(port)")
      }
    }
  }
#endif
