import GatehouseServer
import GatehouseWire
import HTTPTypes
import Hummingbird

/// For who has forgotten the password: a mail with a token, and the page that takes the token. Whether there is such a
/// user is never told.
struct ForgottenPages {
  static let address = Address("forgotten")
  private static let redeeming = Address("forgotten", "new-password")

  private let door: CommandDoor

  init(_ door: CommandDoor) { self.door = door }

  func add(to router: Router<WebContext>) {
    router.get("console/forgotten") { request, context in asking(Visitor(door, request, context), nil) }
    router.get("console/forgotten/new-password") { request, context in
      redeeming(Visitor(door, request, context), token: "", nil)
    }
    Visitor.form("forgotten", on: router, door) { visitor, form in
      // Strangers name people, and do not count through them by their ids.
      if !form["username"].utf8.starts(with: "#".utf8) {
        let reply = await visitor.run(["PASSWORD.RESET", form["username"]])
        if let text = reply.errorText { return asking(visitor, CommandFailure(text)) }
      }
      return redeeming(visitor, token: "", nil, [Self.sent])
    }
    Visitor.form("forgotten/new-password", on: router, door) { visitor, form in await redeem(visitor, form) }
  }

  private static let sent = Block.notice(
    .good, "A mail is on its way",
    [
      .text(
        "If there is such a user with an e-mail address, a mail with a token goes there. It is good for 20 minutes.")
    ])

  private func asking(_ visitor: Visitor, _ failure: CommandFailure?) -> Response {
    let form = Form(
      Self.address,
      fields: [Field("username", "Username", required: true, autocomplete: "username")], submit: "Mail me a token",
      cancel: Address("sign-in"))
    return visitor.show(
      "Forgotten your password?",
      (failure.map { [$0.block] } ?? []) + [
        form.block, .text(.link("I have a token already", Self.redeeming)),
      ], status: failure?.status ?? .ok)
  }

  private func redeeming(
    _ visitor: Visitor, token: String, _ failure: CommandFailure?, _ before: [Block] = []
  ) -> Response {
    let form = Form(
      Self.redeeming,
      fields: [
        Field("token", "Token of the mail", value: token, required: true),
        Field("new", "New password", .password, required: true, autocomplete: "new-password"),
        Field("again", "New password again", .password, required: true, autocomplete: "new-password"),
      ], submit: "Set the password", cancel: Address("sign-in"))
    return visitor.show(
      "New password", before + (failure.map { [$0.block] } ?? []) + [form.block], status: failure?.status ?? .ok)
  }

  private func redeem(_ visitor: Visitor, _ form: FormFields) async -> Response {
    guard form.raw("new") == form.raw("again") else {
      let failure = CommandFailure("ERR the two new passwords differ; type the same one twice")
      return redeeming(visitor, token: form["token"], failure)
    }
    let reply = await visitor.run(["PASSWORD.REDEEM", form["token"], form.raw("new")])
    if let text = reply.errorText { return redeeming(visitor, token: form["token"], CommandFailure(text)) }
    return visitor.show(
      "New password",
      [
        .notice(.good, "The password is set", [.text("Sign in with it now.")]),
        .buttons([.link("To the sign-in", Address("sign-in"), .primary)]),
      ])
  }
}
