import GatehouseServer
import HTTPTypes

/// A command was answered with an error.
struct CommandFailure: Error, Sendable {
  /// `NOPERM`, `REFUSED`, …
  let code: String
  /// The rule that refuses, for `REFUSED rule: why; what to do instead`.
  let rule: String?
  let why: String
  /// What to do instead, if the refusal says.
  let remedy: String?
  let status: HTTPResponse.Status

  init(_ text: String) {
    let problem = Problem(error: text)
    code = problem.code
    rule = problem.rule
    status = problem.status
    let detail = rule.map { String(problem.detail.dropFirst($0.count + 1)).trimmed } ?? problem.detail
    let parts = detail.split(separator: "; ", maxSplits: 1)
    why = parts.first.map(String.init) ?? ""
    remedy = parts.count > 1 ? String(parts[1]) : nil
  }

  /// All of it in one line.
  var detail: String { (rule.map { $0 + ": " } ?? "") + why + (remedy.map { "; " + $0 } ?? "") }

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
    var cells: [Cell] = [.text(why + ".")]
    if let rule { cells = [.code(rule), .text(" ")] + cells }
    if let remedy { cells += [.text(" "), .strong("What to do: "), .text(remedy + ".")] }
    return .notice(.bad, heading, cells)
  }
}

/// What the server says to a command that is only tried.
enum Verdict: Sendable {
  case allowed
  /// The person may, but a rule says no.
  case refused(CommandFailure)
  case forbidden

  var isAllowed: Bool { if case .allowed = self { true } else { false } }
}
