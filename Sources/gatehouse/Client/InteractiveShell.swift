import Foundation
import GatehouseCore
import GatehouseWire

/// The interactive client: reads a line, sends it, shows the reply, until told to leave.
final class InteractiveShell {
  private let session: ServerSession
  private let runner: CommandRunner
  private let history: HistoryFile?
  private let usesColour: Bool
  private var catalogue = CommandCatalogue([])

  init(session: ServerSession, runner: CommandRunner, usesColour: Bool) {
    self.session = session
    self.runner = runner
    self.history = HistoryFile(environment: ProcessInfo.processInfo.environment)
    self.usesColour = usesColour
  }

  func run() throws {
    connect()
    let editor = LineEditor(assistant: assistant(), history: history?.load() ?? [], usesColour: usesColour)
    guard let editor else { return try runner.runLines(of: InputLines()) }
    while let line = editor.readLine(prompt: prompt) {
      guard let words = RequestLine.words(of: line) else {
        StandardStream.error("\(RequestLine.openQuote)\n")
        continue
      }
      guard let first = words.first else { continue }
      switch String(decoding: first, as: UTF8.self).lowercased() {
      case "exit", "quit": return
      case "clear": StandardStream.output("\u{1B}[H\u{1B}[2J")
      default: ask(words)
      }
      keep(line, words, in: editor)
    }
    StandardStream.output("\n")
  }

  private var prompt: String {
    session.isConnected ? "\(session.host):\(session.port)> " : "not connected> "
  }

  /// Does not leave if the server is down: it may be up at the next command.
  private func connect() {
    do {
      try session.connect()
      loadCatalogue()
      StandardStream.error(
        "Connected to \(session.host):\(session.port)\(serverVersion). HELP lists the commands, TAB completes, exit leaves.\n"
      )
    } catch {
      StandardStream.message("\(error)")
    }
  }

  /// ` (Gatehouse 0.1.0)`; nothing where the server does not say before it is given credentials. The greeting has only the
  /// version of Redis whose protocol is spoken.
  private var serverVersion: String {
    let field = "gatehouse_version:"
    let lines = (try? session.command(["INFO", "server"]))?.string?.split(whereSeparator: \.isNewline) ?? []
    guard let line = lines.first(where: { $0.hasPrefix(field) }) else { return "" }
    return " (Gatehouse \(ShownText.line(String(line.dropFirst(field.count)))))"
  }

  private func ask(_ words: [[UInt8]]) {
    do {
      if !session.isConnected {
        try session.connect()
        loadCatalogue()
      }
      try runner.run(words)
    } catch {
      StandardStream.message("\(error)")
    }
  }

  /// Completion is optional: if the server is still loading or asks for credentials, everything else works without it.
  private func loadCatalogue() {
    guard catalogue.names.isEmpty, let docs = try? session.command(["COMMAND", "DOCS"]) else { return }
    catalogue = CommandCatalogue(docs: docs)
  }

  private func keep(_ line: String, _ words: [[UInt8]], in editor: LineEditor) {
    if catalogue.names.isEmpty, session.isConnected { loadCatalogue() }
    let words = words.map { String(decoding: $0, as: UTF8.self) }
    guard HistoryFilter(catalogue: catalogue).mayKeep(words) else { return }
    editor.remember(line)
    history?.append(line)
  }

  private func assistant() -> LineEditor.Assistant {
    LineEditor.Assistant(
      complete: { [unowned self] line in
        let (before, current) = RequestLine.typed(line)
        return catalogue.completions(of: current, after: before)
      },
      hint: { [unowned self] line in
        let (before, current) = RequestLine.typed(line)
        return catalogue.hint(after: current.isEmpty ? before : before + [current])
      },
      explain: { [unowned self] line in
        let (before, current) = RequestLine.typed(line)
        guard let (help, _) = catalogue.command(of: before + [current]) ?? catalogue.command(of: before) else {
          return nil
        }
        return "\(help.usage)\n  \(help.summary)"
      })
  }
}
