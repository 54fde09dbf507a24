/// An entry of the navigation. Each family of pages names its own.
struct Area: Sendable {
  /// Under which heading it stands.
  enum Group: String, Sendable, CaseIterable {
    case people = "People"
    case login = "Login and time"
    case access = "Access"
    case server = "Record and server"
  }

  let name: String
  let group: Group
  let address: Address
  /// It is shown to who holds one of these permissions anywhere; to everybody if there is none.
  let needs: [String]
  /// Whether they must be held over the whole server, because its commands are about that.
  let isOfServer: Bool

  init(_ name: String, _ group: Group, _ address: Address, needs: [String] = [], isOfServer: Bool = false) {
    self.name = name
    self.group = group
    self.address = address
    self.needs = needs
    self.isOfServer = isOfServer
  }

  /// Whether somebody who holds these permissions over others may open it.
  func isShown(_ held: [(permission: String, scope: String)]) -> Bool {
    needs.isEmpty
      || held.contains {
        needs.contains($0.permission) && $0.scope != "oneself" && (!isOfServer || $0.scope == "everywhere")
      }
  }
}
