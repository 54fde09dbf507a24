import ArgumentParser
import GatehouseCommandLine
import GatehouseCore
import GatehouseWire

/// `gatehousectl cluster`: the nodes that share a log.
struct Cluster: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Look after servers that share their log: who leads, who follows, whether all have the same.",
    subcommands: [ClusterStatus.self, ClusterPromote.self, ClusterLeave.self, ClusterVerify.self])
}

/// `gatehousectl cluster status`: all nodes as one of them sees them.
struct ClusterStatus: OperatorCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Show the nodes, who leads, and how far each has got.",
    discussion: """
      EXAMPLES:
        gatehousectl cluster status
        gatehousectl cluster status --port 7430 --json

      Any node can be asked. A node that was not heard of for a while is not shown.

      \(ExitStatus.help)
      """)

  @OptionGroup var output: OutputOptions
  @OptionGroup(title: "Server") var server: ServerOptions

  func perform() throws {
    let nodes = try ClusterNode.list(from: server.connect()[0])
    if output.json { return Console.result(RESPValue.array(nodes.map(\.reply)).json()) }
    for node in nodes { Console.result(ShownText.line(node.line)) }
    if !nodes.contains(where: \.isLeader) {
      Console.message(
        nodes.isEmpty
          ? "gatehousectl: the server is alone; its setting replication names no shared log"
          : "gatehousectl: no node leads")
      throw ExitCode(ExitStatus.problems)
    }
  }
}

/// `gatehousectl cluster promote`: has another node lead.
struct ClusterPromote: OperatorCommand {
  static let configuration = CommandConfiguration(
    commandName: "promote", abstract: "Have another node lead.",
    discussion: """
      EXAMPLES:
        gatehousectl cluster promote two
        gatehousectl cluster promote two --port 7430 --force   the leader does not answer

      The leader takes no changes for a moment, writes what it has taken, and hands
      over: nothing is lost. If it does not happen, the server says why. With --force,
      ask the node that is to lead: it leads even if the leader does not agree, which
      can write nothing from then on.

      \(ExitStatus.help)
      """)

  @OptionGroup var output: OutputOptions
  @OptionGroup(title: "Server") var server: ServerOptions

  @Flag(help: "do not wait for the leader to agree") var force = false

  @Option(help: ArgumentHelp("how long to wait until it leads", valueName: "seconds")) var timeout = 30

  @ArgumentParser.Argument(help: ArgumentHelp("the node that is to lead", valueName: "name")) var name: String

  func perform() throws {
    let client = try server.connect()[0]
    try accepted(client.command(["NODE.PROMOTE", name] + (force ? ["FORCE"] : [])))
    let end = ContinuousClock.now + .seconds(timeout)
    while ContinuousClock.now < end {
      // The node that was asked may have led, and then closes its connections.
      if let nodes = try? ClusterNode.list(from: server.connect()[0]),
        let node = nodes.first(where: { $0.name == name && $0.isLeader })
      {
        if output.json { return Console.result(node.reply.json()) }
        return Console.result(ShownText.line("\(name) leads, in epoch \(node.epoch)"))
      }
      Pause.take()
    }
    Console.message("gatehousectl: \(name) does not lead after \(timeout) s; the log of the leader says why")
    throw ExitCode(ExitStatus.problems)
  }
}

/// `gatehousectl cluster leave`: takes a node out, and stops it.
struct ClusterLeave: OperatorCommand {
  static let configuration = CommandConfiguration(
    commandName: "leave", abstract: "Take the node that is asked out of the cluster, and stop it.",
    discussion: """
      EXAMPLES:
        gatehousectl cluster leave --port 7430

      If it leads, it hands over first. Its data folder stays.

      \(ExitStatus.help)
      """)

  @OptionGroup(title: "Server") var server: ServerOptions

  func perform() throws {
    try accepted(server.connect()[0].command("NODE.LEAVE"))
    Console.message("gatehousectl: the node stops")
  }
}

/// A node's reply that must not be an error.
@discardableResult
func accepted(_ reply: RESPValue) throws -> RESPValue {
  guard let error = reply.errorText else { return reply }
  Console.message("gatehousectl: the server refused: \(error)")
  throw ExitCode(ExitStatus.problems)
}

/// A node as another sees it.
struct ClusterNode {
  let reply: RESPValue

  static func list(from client: BlockingClient) throws -> [ClusterNode] {
    try accepted(client.command("NODE.LIST")).elements?.map { ClusterNode(reply: $0) } ?? []
  }

  var name: String { reply["name"]?.string ?? "" }
  var host: String { reply["host"]?.string ?? "" }
  var port: Int { Int(reply["port"]?.integer ?? 0) }
  var lsn: UInt64 { UInt64(clamping: reply["lsn"]?.integer ?? 0) }
  var epoch: Int64 { reply["epoch"]?.integer ?? 0 }
  var isLeader: Bool { reply["role"]?.string == "leader" }

  var line: String {
    let facts = [
      "record \(lsn)", "\(reply["lag"]?.integer ?? 0) behind", "snapshot \(reply["snapshot"]?.integer ?? 0)",
      "epoch \(epoch)", "version \(reply["version"]?.string ?? "")",
    ]
    let role = (isLeader ? "leader" : "follower") + (reply["candidate"]?.integer == 0 ? ", cannot lead" : "")
    return "\(name)  \(host):\(port)  \(role)  \(facts.joined(separator: ", "))"
  }
}
