import Testing

@testable import GatehouseCore

/// A refusal says which word, option or field of the command it is about, for forms to mark it. Clients are answered the
/// text alone.
@Suite("Fields of refusals")
struct RefusedFieldTests {
  private let core = CoreHarness()

  init() {
    core.run("USER.CREATE ana NOINVITE")
    core.run("PRODUCT.CREATE crm")
    core.run("FIELD.DEFINE colour choice CHOICES 2 Red Blue")
  }

  @Test(
    "words and options that cannot be read, names that are taken, things that are not there",
    arguments: [
      ("USER.LIST COUNT many", "COUNT"), ("USER.LIST COUNT", "COUNT"), ("ENTRY.ADD ana START 1", "END"),
      ("ENTRY.ADD ana START soon END 1", "START"), ("MAIL.NEXT LEASE long", "LEASE"),
      ("ENTRY.GET x", "id"), ("USER.SET ana email nobody", "email"), ("USER.SET ana hired soon", "hired"),
      ("USER.SET ana timezone Mars", "timezone"), ("USER.SET ana restrict-bookings maybe", "restrict-bookings"),
      ("USER.SET ana colour Green", "colour"), ("USER.SET ana nothing x", "nothing"),
      ("USER.SET ana first A first B", "first"), ("USER.CREATE ana", "username"), ("USER.CREATE #1", "username"),
      ("USER.RENAME nobody x", "user"), ("PRODUCT.CREATE crm", "product"), ("PRODUCT.CREATE C!", "product"),
      ("WORKSPACE.CREATE main", "name"), ("PRODUCT.ENABLE ana nothing", "product"),
      ("EMPLOY.ADD ana Nowhere", "account"), ("WORKSPACE.SET nowhere plan free", "workspace"),
      ("PASSWORD.SET ana abc", "password"),
    ])
  func named(line: String, field: String) {
    let reply = core.reply(to: line.split(separator: " ").map(String.init))
    #expect(reply.isError && reply.errorField == field, "\(line): \(Answer(reply))")
    #expect(reply.text(of: reply.nodes.first!) == Answer(reply).text, "it is no part of the text")
  }

  @Test("a refusal about no single word names none")
  func others() {
    for line in ["USER.GET", "NO.SUCH", "ROLE.REVOKE ana manager"] {
      #expect(core.reply(to: line.split(separator: " ").map(String.init)).errorField == nil, "\(line)")
    }
  }
}
