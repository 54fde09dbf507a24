import GatehouseServer
import GatehouseWire
import HTTPTypes

/// A command was answered with an error.
struct CommandFailure: Error, Sendable {
  /// `NOPERM`, `REFUSED`, …
  let code: String
  /// The rule that refuses, for `REFUSED rule: why; what to do instead`.
  let rule: String?
  private(set) var why: String
  /// What to do instead, if the refusal says.
  private(set) var remedy: String?
  let status: HTTPResponse.Status
  /// What it is about, where it says so: the word, option or field of the command, or of the form.
  let field: String?

  init(_ text: String, field: String? = nil) {
    self.field = field
    let problem = Problem(error: text)
    code = problem.code
    rule = problem.rule
    status = problem.status
    why = problem.why
    remedy = problem.remedy.flatMap { $0.hasPrefix("usage: ") ? nil : $0 }
  }

  /// The same in the words of the console.
  func said(_ words: ConsoleWords) -> CommandFailure {
    var failure = self
    failure.why = words.said(why)
    failure.remedy = remedy.map(words.said)
    return failure
  }

  /// All of it in one line, in the words of the console.
  var detail: String { said(ConsoleWords()).detailAsItIs }

  /// … in those of the server.
  var detailAsItIs: String { (rule.map { $0 + ": " } ?? "") + why + (remedy.map { "; " + $0 } ?? "") }

  /// Whether sending the same form again may help. It is safe: a form is carried out once.
  var isPassing: Bool { ["BUSY", "LOADING", "READONLY"].contains(code) }

  var heading: String {
    switch code {
    case "NOPERM": "You may not do this"
    case "NOTFOUND": "It is not there"
    case "REFUSED": "A rule refuses this"
    case "NOSEATS": "No seat is left"
    case "CONFLICT": "It clashes with what is there"
    case "STALE": "Somebody has changed it meanwhile"
    case "LIMIT": "A limit is reached"
    case "BUSY", "LOADING": "The server cannot take this now"
    case "READONLY": "The server takes no changes now"
    default: "This was not understood"
    }
  }

  /// For the top of a form or a page.
  var block: Block {
    let failure = said(ConsoleWords())
    var cells = Cell.withMoments(failure.why + ".")
    if let rule { cells = [.code(rule), .text(" ")] + cells }
    if let remedy = failure.remedy {
      cells += [.text(" "), .strong("What to do: ")] + Cell.withMoments(remedy + ".")
    }
    return .notice(.bad, heading, cells)
  }
}

extension Result<RESPValue, RefusedCommand> {
  /// The reply.
  func orFailure() throws(CommandFailure) -> RESPValue {
    switch self {
    case .success(let reply): return reply
    case .failure(let refused): throw CommandFailure(refused.text, field: refused.field)
    }
  }
}

/// What the server says to a command that is only tried.
enum Verdict: Sendable {
  case allowed
  /// The person may, but a rule says no.
  case refused(CommandFailure)
  case forbidden

  var isAllowed: Bool { if case .allowed = self { true } else { false } }
  var isForbidden: Bool { if case .forbidden = self { true } else { false } }
}
