import GatehouseWire
import HTTPTypes

/// Somebody whom a page is about, as `USER.GET` shows them.
struct Person {
  let card: RESPValue

  var id: String { card.shown("id") }
  /// The id as commands take it.
  var word: String { "#" + id }
  var contact: String { "#" + card.shown("contact") }
  var username: String { card.shown("username") }
  var status: String { card.shown("status") }
  var isDeleted: Bool { status == "deleted" }
  /// The name, or the username of who has none.
  var name: String { card.shown("name").isEmpty ? username : card.shown("name") }
  var address: Address { Address("people", id) }

  func address(_ page: String) -> Address { Address("people", id, page) }
  func address(_ page: String, _ below: String) -> Address { Address("people", id, page, below) }
  func address(_ page: String, _ below: String, _ last: String) -> Address { Address("people", id, page, below, last) }

  /// The person in the path, `people/:user`.
  init(_ visit: Visit) async throws {
    let id = visit.parameter("user")
    guard !id.isEmpty, id.utf8.count < 20, id.allSatisfy({ $0.isASCII && $0.isNumber }) else {
      throw Problem(.notFound, "NOTFOUND", "there is no person with the id \(id)")
    }
    card = try await visit.read("USER.GET", "#" + id)
  }
}
