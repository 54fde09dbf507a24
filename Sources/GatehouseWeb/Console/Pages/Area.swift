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

  init(_ name: String, _ group: Group, _ address: Address, needs: [String] = []) {
    self.name = name
    self.group = group
    self.address = address
    self.needs = needs
  }
}
