import ArgumentParser
import GatehouseCore
import GatehouseStorage
import GatehouseWire

/// `gatehousectl service`: the applications that may use a server.
struct Service: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Manage services (applications) in a folder that no server uses.", subcommands: [ServiceCreate.self])
}

/// `gatehousectl service create`: creates a service without a server, so that a new server is never open to everybody,
/// and nobody is locked out for good if all secrets are lost.
struct ServiceCreate: OperatorCommand {
  static let configuration = CommandConfiguration(
    commandName: "create",
    abstract: "Make a service, and show its secret this once.",
    discussion: """
      EXAMPLES:
        gatehousectl service create ./data ops ADMIN
        gatehousectl service create ./data web READ SESSIONS
        gatehousectl service create ./data crew READ SESSIONS ADMIN --product acme/payroll
        gatehousectl service create --new ./data ops ADMIN   before the first start

      Does what SERVICE.CREATE does, as one record of the log. On a running server,
      use that command instead. The first service must have ADMIN. No secret is asked
      for, because whoever can write to the folder controls it anyway. If it is
      refused, --new leaves no folder behind.

      \(ExitStatus.help)
      """)

  @OptionGroup var output: OutputOptions

  @OptionGroup(title: "Encryption") var encryption: KeyOptions

  @Flag(help: "make the data folder if there is none")
  var new = false

  @Option(help: ArgumentHelp("bind it to a workspace; can be given more than once", valueName: "workspace"))
  var workspace: [String] = []

  @Option(help: ArgumentHelp("bind it to a product alone; can be given more than once", valueName: "product"))
  var product: [String] = []

  @Option(help: ArgumentHelp("why, for the audit trail", valueName: "text"))
  var reason: String?

  @ArgumentParser.Argument(help: ArgumentHelp("the data folder", valueName: "folder"))
  var folder: String

  @ArgumentParser.Argument(help: ArgumentHelp("the name of the service", valueName: "name"))
  var name: String

  @ArgumentParser.Argument(
    help: ArgumentHelp(
      "READ, SESSIONS, TIMERS, ADMIN, MAIL (default: ADMIN); READ is always among them", valueName: "right"))
  var rights: [Right] = []

  func perform() throws {
    let clock = Milliseconds(now())
    let key = try encryption.key()
    let data: DataFolder
    do throws(FolderError) {
      data = try DataFolder.open(
        folder, create: new ? FolderParameters(createdAt: UInt64(clock)) : nil, key: key)
    } catch {
      guard case .missing = error else { throw error }
      Console.message("gatehousectl: \(error), or give --new to make it")
      throw ExitCode(ExitStatus.of(error))
    }
    defer { data.close() }
    for warning in data.warnings { Console.message("gatehousectl: warning: \(warning)") }
    var words = ["SERVICE.CREATE", name] + (rights.isEmpty ? [Right.administer] : rights).map(\.name)
    words += workspace.flatMap { ["WORKSPACE", $0] } + product.flatMap { ["PRODUCT", $0] }
    if let reason { words += ["REASON", reason] }
    let reply: RESPValue
    do {
      reply = RESPValue(try OfflineCommand.run(words, on: data, clock: clock))
    } catch {
      data.deleteIfNew()
      throw error
    }
    if let error = reply.errorText {
      // A folder without services would be open to everybody on this machine.
      data.deleteIfNew()
      Console.message("gatehousectl: \(advised(error))")
      throw ExitCode(ExitStatus.problems)
    }
    if output.json { return Console.result(reply.json()) }
    for pair in reply.pairs ?? [] {
      let texts = pair.value.elements?.compactMap(\.string).joined(separator: " ")
      Console.result(ShownText.line("\(pair.key.string ?? ""): \(texts ?? pair.value.string ?? pair.value.json())"))
    }
  }
}

extension ServiceCreate {
  /// A refusal, with the command that can be given here: there is no server that would take the other.
  private func advised(_ refusal: String) -> String {
    refusal.replacing(ServiceAdvice.firstService, with: "gatehousectl service create \(folder) name ADMIN")
  }
}

/// A right of a service, in any case.
struct Right: ExpressibleByArgument {
  let name: String

  static let administer = Right(name: "ADMIN")

  private init(name: String) { self.name = name }

  init?(argument: String) {
    guard let found = ServiceRights.names.first(where: { $0.name == argument.uppercased() }) else { return nil }
    name = found.name
  }

  static var allValueStrings: [String] { ServiceRights.names.map(\.name) }
}
