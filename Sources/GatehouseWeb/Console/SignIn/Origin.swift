import GatehouseCore
import GatehouseServer
import HTTPTypes
import Hummingbird

/// Where a request comes from, as options of commands: for the limits of guessing, for the list of sessions, and for the
/// trail.
enum Origin {
  static func words(_ request: Request, _ context: WebContext, _ settings: ServerConfiguration) -> [String] {
    var words: [String] = []
    if let address = ClientAddress.of(request, context, settings) { words += ["IP", address.text] }
    let agent = Self.agent(request.headers[.userAgent] ?? "")
    if !agent.isEmpty { words += ["AGENT", agent] }
    return words
  }

  private static let mostAgentBytes = 200

  /// Without what the command refuses: control characters, of which there are some beyond ASCII.
  static func agent(_ header: String) -> String {
    ShownText.prefix(String(header.unicodeScalars.filter { !ShownText.isUnprintable($0) }), bytes: mostAgentBytes)
  }
}
