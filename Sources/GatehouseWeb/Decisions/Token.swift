import GatehouseServer
import GatehouseWire
import Hummingbird

/// What shows who a user is: a session's token or an API key.
struct Token: Equatable {
  /// The cookie in which browsers keep a session's token, set by whoever signs them in.
  static let cookie = "gatehouse_session"

  let text: String
  private let command: String

  var isKey: Bool { command == "APIKEY.CHECK" }

  /// - Returns: nil if the text has the form of neither, such as a service's secret.
  init?(_ text: some StringProtocol) {
    if text.hasPrefix("gs_") {
      command = "SESSION.CHECK"
    } else if text.hasPrefix("ga_") {
      command = "APIKEY.CHECK"
    } else {
      return nil
    }
    self.text = String(text)
  }

  /// Who is behind the token, decided anew.
  ///
  /// - Parameter product: which the holder must be allowed to enter.
  /// - Returns: nil if the token is not good, or not for the product.
  /// - Throws: `Problem` if the question could not be answered.
  func holder(for product: String?, _ door: CommandDoor, _ caller: Caller) async throws -> Holder? {
    let words = [command, text] + (product.map { ["PRODUCT", $0] } ?? [])
    let reply = await door.execute(words, for: caller)
    if let error = reply.errorText { throw Problem(error: error) }
    return Holder(reply)
  }

  /// What `SESSION.CHECK` tells.
  struct Holder: Equatable {
    let id: Int64
    let kind: String
    let user: Int64
    let username: String
    let product: String?
    let workspace: String
    /// Who acts as the user, in an impersonation.
    let actor: Person?
    /// Milliseconds since 1970.
    let created: Int64
    let expires: Int64?
    /// Whether a temporary password has opened the session (P13): somebody else knows it, so its holder may do nothing but
    /// change it. What stands behind a gateway cannot know, and must not be let in to.
    let mustChange: Bool

    struct Person: Equatable {
      let id: Int64
      let username: String
    }

    fileprivate init?(_ reply: RESPValue) {
      guard let id = reply["id"]?.integer, let kind = reply["kind"]?.string, let user = reply["user"]?.integer,
        let username = reply["username"]?.string, let workspace = reply["workspace"]?.string,
        let created = reply["created"]?.integer
      else { return nil }
      self.id = id
      self.kind = kind
      self.user = user
      self.username = username
      product = reply["product"]?.string
      self.workspace = workspace
      if let id = reply["actor-id"]?.integer, let name = reply["actor"]?.string {
        actor = Person(id: id, username: name)
      } else {
        actor = nil
      }
      self.created = created
      expires = reply["expires"]?.integer
      mustChange = reply["must-change"]?.integer == 1
    }
  }
}
