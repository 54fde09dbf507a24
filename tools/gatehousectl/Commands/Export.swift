import ArgumentParser
import Foundation
import GatehouseCore
import GatehouseWire
import Glibc

/// `gatehousectl export`: writes the people of a workspace in the form that import takes.
struct Export: OperatorCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write the users, or contacts, of a workspace as CSV or JSON lines, from a running server.",
    discussion: """
      EXAMPLES:
        gatehousectl export users > people.csv
        gatehousectl export users --workspace acme --format jsonl --output acme.jsonl
        gatehousectl export users --where "status = locked" --fields username,email
        gatehousectl export contacts --where "user = ''"       those without a login

      All columns that import takes are written, and import reads them back
      without a loss: employments with their days, products and roles with their
      limits, scopes and administrators, and whom somebody looks after. Of members
      whose home is another workspace nothing is in the file, and of the others
      what they have in this workspace: products of others are left out, and so
      are roles over them and links to people who are not in the file, which are
      counted. Never in the file are passwords, second factors, API keys and
      sessions; names that somebody had before, and what happened until now; until
      when somebody is a member; time, linked records (LINK.LIST), and what
      provisioning systems keep, who send it again. In CSV an apostrophe is put
      before a value that begins with = + - @ or a tab, because spreadsheets would
      carry it out.

      --where takes a field, an operator and a value, as USER.LIST does, and
      repeats. --fields takes these columns, and any fields of USER.LIST or
      CONTACT.LIST. People who change while the list is written are in it once, as
      they were before or after.

      To authenticate, set GATEHOUSE_AUTH=name:secret.

      \(ExitStatus.help)
      """)

  @Flag(help: "show no progress")
  var quiet = false

  @OptionGroup var server: ServerOptions
  @OptionGroup var table: TableOptions

  @Option(help: ArgumentHelp("the workspace of the people", valueName: "name"))
  var workspace = "main"

  @Option(
    name: [.customLong("where")], help: ArgumentHelp("only people of whom this holds; repeats", valueName: "condition"))
  var conditions: [Condition] = []

  @Option(help: ArgumentHelp("the columns, separated by commas", valueName: "names"))
  var fields: String?

  @Flag(help: "begin CSV with a byte order mark, by which Excel knows UTF-8")
  var bom = false

  @Option(help: ArgumentHelp("a new file, instead of standard output", valueName: "file"))
  var output: String?

  @ArgumentParser.Argument(help: "users or contacts")
  var kind: ExportedKind

  func perform() throws {
    var options = ExportRun.Options()
    options.kind = kind
    options.format = table.format(of: output ?? "")
    options.workspace = workspace
    options.delimiter = table.delimiter?.byte
    options.hasMark = bom && options.format == .csv
    options.conditions = conditions.map(\.words)
    options.fields = fields?.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    let client = try server.connect()[0]
    let meter = ProgressMeter(isQuiet: quiet)
    let target = try output.map { path in try OutputFile(path) }
    // An unfinished file is removed.
    if target != nil { Interruption.watch() }
    let run = try ExportRun(options, client) { bytes in try (target?.write(bytes) ?? Console.result(bytes: bytes)) }
    meter.begin("exporting", .records)
    do {
      try run.run {
        meter.set(UInt64($0))
        try Interruption.check()
      }
      try target?.finish()
    } catch {
      target?.remove()
      throw error
    }
    meter.end()
    if run.foreignGrants > 0 {
      Console.message(
        "gatehousectl: not in the file are \(Figures.count(run.foreignGrants, "grant")) of roles over other workspaces")
    }
    if run.employmentsGone > 0 {
      Console.message(
        "gatehousectl: not in the file are \(Figures.count(run.employmentsGone, "employment")) at accounts that were deleted"
      )
    }
    if run.foreignLinks > 0 {
      Console.message(
        "gatehousectl: not in the file are \(Figures.count(run.foreignLinks, "management link")) to people who are not in"
          + " it either, because they were deleted or their home is another workspace")
    }
    if run.peopleOfOthers > 0 {
      Console.message(
        "gatehousectl: not in the file are \(Figures.count(run.peopleOfOthers, "member")) whose home is another workspace;"
          + " --fields lists them, too")
    }
    if run.namelessContacts > 0 {
      Console.message(
        "gatehousectl: not in the file are \(Figures.count(run.namelessContacts, "contact")) with neither a name nor an"
          + " e-mail, which import could not make")
    }
  }
}

extension ExportedKind: ExpressibleByArgument {}

/// `status = locked`: a field, an operator, and the rest as the value, perhaps in quotes.
struct Condition: ExpressibleByArgument {
  let words: [String]

  init?(argument: String) {
    let parts = argument.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: true).map(String.init)
    guard parts.count >= 2 else { return nil }
    var value = parts.count == 3 ? parts[2] : ""
    for quote in ["'", "\""] where value.count >= 2 && value.hasPrefix(quote) && value.hasSuffix(quote) {
      value = String(value.dropFirst().dropLast())
    }
    words = [parts[0], parts[1], value]
  }
}
