import ArgumentParser
import GatehouseCommandLine
import GatehouseCore
import GatehouseWire
import Glibc

/// `gatehousectl cluster verify`: whether all nodes have the same log and the same keys.
struct ClusterVerify: OperatorCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Compare the logs and the keys of all nodes with each other.",
    discussion: """
      EXAMPLES:
        gatehousectl cluster verify
        gatehousectl cluster verify --json

      Asks every node for the hash of its chain at the last record that all have.
      The hash proves every record up to it, so equal hashes are equal logs. All nodes
      must be reached from here, with the credentials of one service, which has ADMIN.
      Which record that was and its hash can be held against any of them later:
      AUDIT.VERIFY AGAINST lsn hash.

      Then compares the store of people's keys, of which hashes tell which keys are
      destroyed and that the others are the same, and the encryption's key ring: its
      id, the master key's id, and the numbers of its data keys. No key is shown.

      \(ExitStatus.help)
      """)

  @OptionGroup var output: OutputOptions
  @OptionGroup(title: "Server") var server: ServerOptions

  private struct Finding {
    let node: ClusterNode
    var lsn: UInt64?
    var hash: String?
    var keys: NodeKeys?
    /// What keys are not those of the node that leads, or of the first.
    var differences: [String] = []
    /// Whether that is more than keys which one of the two has yet to destroy.
    var hasOtherKeys = false
    var problem: String?
  }

  func perform() throws {
    // The second time after a dismissal (`NodeConnection`); a node that cannot be reached is told of by the same error.
    let nodes = try (try? ClusterNode.list(from: server.connect()[0])) ?? ClusterNode.list(from: server.connect()[0])
    var findings = nodes.map { Finding(node: $0) }
    let clients = nodes.indices.map { index -> NodeConnection? in
      do {
        return try NodeConnection(ServerAddress.find(host: nodes[index].host, port: nodes[index].port, tls: server.tls))
      } catch {
        findings[index].problem = "it cannot be reached: \(error)"
        return nil
      }
    }
    // What each has by itself, and not what was last heard of it.
    for (index, client) in clients.enumerated() where client != nil {
      findings[index].lsn = client?.ask("NODE.HASH")?["lsn"]?.integer.map { UInt64($0) }
      if findings[index].lsn == nil { findings[index].problem = "it does not tell its last record" }
    }
    let common = findings.compactMap(\.lsn).min() ?? 0
    for (index, client) in clients.enumerated() where findings[index].problem == nil {
      guard let reply = client?.ask("NODE.HASH", "\(common)") else {
        findings[index].problem = "it does not answer"
        continue
      }
      findings[index].hash = reply["hash"]?.string
      findings[index].problem = reply.errorText
    }
    compareKeys(&findings, clients)
    try report(findings, common)
  }

  /// A node destroys keys a moment after another has, so differences count only if they stay.
  private func compareKeys(_ findings: inout [Finding], _ clients: [NodeConnection?]) {
    for _ in 0..<Self.looks {
      for (index, client) in clients.enumerated() where findings[index].problem == nil {
        guard let reply = client?.ask("NODE.KEYS") else {
          findings[index].problem = "it does not answer"
          continue
        }
        findings[index].problem = reply.errorText.map { "its keys cannot be compared: \($0)" }
        findings[index].keys = NodeKeys(reply)
      }
      let sound = findings.indices.filter { findings[$0].problem == nil }
      guard let first = sound.first(where: { findings[$0].node.isLeader }) ?? sound.first,
        let keys = findings[first].keys
      else { return }
      for index in sound {
        findings[index].differences = findings[index].keys?.differences(from: keys) ?? []
        findings[index].hasOtherKeys = findings[index].keys?.hasOthers(than: keys) ?? false
      }
      if findings.allSatisfy(\.differences.isEmpty) { return }
      for _ in 0..<5 { Pause.take() }
    }
  }

  private static let looks = 10

  private func report(_ findings: [Finding], _ common: UInt64) throws {
    let hashes = Set(findings.compactMap(\.hash))
    let haveSameKeys = findings.allSatisfy(\.differences.isEmpty)
    let areEqual = hashes.count == 1 && haveSameKeys && findings.allSatisfy { $0.problem == nil }
    if output.json {
      let nodes = findings.map { finding in
        RESPValue.map([
          RESPValue.Pair(.bulk("name"), .bulk(finding.node.name)),
          RESPValue.Pair(.bulk("lsn"), finding.lsn.map { .integer(Int64(clamping: $0)) } ?? .null),
          RESPValue.Pair(.bulk("hash"), finding.hash.map { .bulk($0) } ?? .null),
          RESPValue.Pair(.bulk("problem"), finding.problem.map { .bulk($0) } ?? .null),
          RESPValue.Pair(.bulk("keys"), finding.keys.map { $0.reply } ?? .null),
          RESPValue.Pair(.bulk("differences"), .array(finding.differences.map { .bulk($0) })),
        ])
      }
      Console.result(
        RESPValue.map([
          RESPValue.Pair(.bulk("equal"), .boolean(areEqual)),
          RESPValue.Pair(.bulk("lsn"), .integer(Int64(clamping: common))),
          RESPValue.Pair(.bulk("nodes"), .array(nodes)),
        ]).json())
    } else {
      for finding in findings {
        let what = finding.problem ?? "\(finding.hash ?? "") at record \(common), last record \(finding.lsn ?? 0)"
        Console.result(ShownText.line("\(finding.node.name)  \(what)"))
        for difference in finding.differences {
          Console.result(ShownText.line("\(finding.node.name)  has other keys: \(difference)"))
        }
      }
      Console.result(
        areEqual
          ? "all \(findings.count) nodes have the same log through record \(common), and the same keys"
          : hashes.count > 1
            ? "the nodes have different logs: stop those that do not lead, and copy the leader's folder"
            : haveSameKeys
              ? "not all nodes could be compared"
              : findings.contains(where: \.hasOtherKeys)
                ? "the nodes have different keys: stop those that do not lead, and copy the leader's folder"
                : "a node has not destroyed all keys yet: ask again in a minute; if it stays so, stop those that do not "
                  + "lead, and copy the leader's folder")
    }
    if !areEqual { throw ExitCode(ExitStatus.problems) }
  }
}

/// A connection to a node, made anew once if the node closes it. One that has led and is back dismisses its clients when it
/// hears who leads now.
private final class NodeConnection {
  private let address: ServerAddress
  private var client: BlockingClient

  init(_ address: ServerAddress) throws {
    self.address = address
    client = try address.connect()
  }

  /// - Returns: nil if the node does not answer.
  func ask(_ words: String...) -> RESPValue? {
    if let reply = try? client.command(words) { return reply }
    guard let again = try? address.connect() else { return nil }
    client = again
    return try? client.command(words)
  }
}

/// A moment between two looks at a server.
enum Pause {
  static func take() { usleep(100_000) }
}
