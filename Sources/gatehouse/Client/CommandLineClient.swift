import ArgumentParser
import Foundation
import GatehouseWire

/// `gatehouse cli`: sends one command, each line of a pipe, or each line typed.
struct CommandLineClient: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cli",
    abstract: "Talk to a server.",
    discussion: """
      EXAMPLES:
        gatehouse cli                            type commands, with completion
        gatehouse cli LOGIN.CHECK ana payroll    ask once
        gatehouse cli --json USER.GET ana        ask once, answered as JSON
        gatehouse cli < commands.txt             one command a line
        GATEHOUSE_AUTH=name:secret gatehouse cli --host 10.0.0.5

      On a terminal replies are shown for people: lists as tables, times in the
      terminal's time zone (TZ), names next to the ids of the audit trail. In a
      pipe, and with --raw, they are plain lines; with --no-raw they look as in
      redis-cli. While you type, TAB completes or explains, and a hint on the right
      shows what may follow. Line ends and control characters in a value are shown
      as \\n or \\u{202e}. Lines with a password, token or key are not kept in the
      history (~/.gatehouse_history, or the file that GATEHOUSE_HISTORY names).

      EXIT CODES:
        0 all answered       1 an error was answered
        2 no connection     64 wrong command line
      """)

  @OptionGroup var connection: ConnectionOptions

  @Flag(help: "show replies as JSON, one a line")
  var json = false

  @Flag(inversion: .prefixedNo, help: "show replies as plain lines, or numbered and quoted as redis-cli does")
  var raw: Bool?

  @Argument(parsing: .captureForPassthrough, help: ArgumentHelp("the command and its arguments", valueName: "command"))
  var words: [String] = []

  func validate() throws {
    if json && raw != nil { throw ValidationError("give either --json or --raw") }
    // Everything unknown is part of the command, so a misspelt option would be sent as a command.
    guard let first = words.first, first.hasPrefix("-"), first != "--" else { return }
    if first == "--help" || first == "-h" { throw CleanExit.helpRequest(self) }
    throw ValidationError("unknown option \(first)")
  }

  /// The command. `--` says that the options are over, as in all programs, and is no part of it.
  private var command: [String] { words.first == "--" ? Array(words.dropFirst()) : words }

  func run() throws {
    let session = try connection.session()
    let runner = CommandRunner(session: session, printer: printer())
    do {
      if !command.isEmpty {
        try runner.runOnce(command)
      } else if StandardStream.inputIsTerminal {
        try InteractiveShell(session: session, runner: runner, usesColour: usesColour).run()
        return
      } else {
        try runner.runLines(of: InputLines())
      }
    } catch {
      StandardStream.message("gatehouse: \(error)")
      throw ExitCode(ExitStatus.noConnection)
    }
    if runner.sawError { throw ExitCode(ExitStatus.errorReply) }
  }

  private var usesColour: Bool {
    let environment = ProcessInfo.processInfo.environment
    return StandardStream.outputIsTerminal && environment["NO_COLOR", default: ""].isEmpty
      && environment["TERM"] != "dumb"
  }

  private func printer() -> ReplyPrinter {
    let form: ReplyPrinter.Form =
      if json { .json } else if let raw { raw ? .raw : .formatted } else {
        StandardStream.outputIsTerminal ? .readable : .raw
      }
    return ReplyPrinter(form: form, style: TextStyle(usesColour: usesColour))
  }
}
