import GatehouseServer
import GatehouseWire
import HTTPTypes
import Hummingbird

/// For who has forgotten the password: a mail with a token, and the page that takes the token. Whether there is such a
/// user is never told.
struct ForgottenPages {
  private static let path = "forgotten"
  private static let pathOfToken = "new-password"

  private let door: CommandDoor
  private let site: SignInSite

  init(_ door: CommandDoor, at site: SignInSite) {
    self.door = door
    self.site = site
  }

  /// Where the page is; it leads back to the sign-in for the same goal.
  static func address(at site: SignInSite, _ goal: SignInGoal) -> Address {
    site.address(path).adding(goal.fields(site))
  }

  func add(to router: Router<WebContext>) {
    let pathOfToken = Self.path + "/" + Self.pathOfToken
    router.get(site.route(Self.path)) { request, context in
      let visitor = Visitor(door, site, request, context)
      return asking(visitor, goal(visitor.query), nil)
    }
    router.get(site.route(pathOfToken)) { request, context in
      let visitor = Visitor(door, site, request, context)
      return redeeming(visitor, goal(visitor.query), token: "", nil)
    }
    Visitor.form(Self.path, on: router, door, at: site) { visitor, form in
      // Strangers name people, and do not count through them by their ids.
      if !form["username"].utf8.starts(with: "#".utf8) {
        let reply = await visitor.run(["PASSWORD.RESET", form["username"]])
        if let text = reply.errorText { return asking(visitor, goal(form), CommandFailure(text)) }
      }
      return redeeming(visitor, goal(form), token: "", nil, [Self.sent])
    }
    Visitor.form(pathOfToken, on: router, door, at: site) { visitor, form in await redeem(visitor, form) }
  }

  private func goal(_ fields: FormFields) -> SignInGoal { SignInGoal(site, door.configuration, fields) }

  private func redeeming(_ goal: SignInGoal) -> Address {
    site.address(Self.path, Self.pathOfToken).adding(goal.fields(site))
  }

  private func signIn(_ goal: SignInGoal) -> Address { site.address("sign-in").adding(goal.fields(site)) }

  private static let sent = Block.notice(
    .good, "A mail is on its way",
    [
      .text(
        "If there is such a user with an e-mail address, a mail with a token goes there. It is good for 20 minutes.")
    ])

  private func asking(_ visitor: Visitor, _ goal: SignInGoal, _ failure: CommandFailure?) -> Response {
    let form = Form(
      site.address(Self.path),
      fields: [Field("username", "Username", required: true, autocomplete: "username")], hidden: goal.fields(site),
      submit: "Mail me a token", cancel: signIn(goal))
    return visitor.show(
      "Forgotten your password?",
      [form.block, .text(.link("I have a token already", redeeming(goal)))], failure: failure)
  }

  private func redeeming(
    _ visitor: Visitor, _ goal: SignInGoal, token: String, _ failure: CommandFailure?, _ before: [Block] = []
  ) -> Response {
    let form = Form(
      site.address(Self.path, Self.pathOfToken),
      fields: [
        Field("token", "Token of the mail", value: token, required: true),
        Field.newPassword("new", "New password"),
        Field("again", "New password again", .password, required: true, autocomplete: "new-password"),
      ], hidden: goal.fields(site), submit: "Set the password", cancel: signIn(goal))
    return visitor.show("New password", before + [form.block], failure: failure)
  }

  private func redeem(_ visitor: Visitor, _ form: FormFields) async -> Response {
    let goal = goal(form)
    guard form.raw("new") == form.raw("again") else {
      let failure = CommandFailure("ERR the two new passwords differ; type the same one twice", field: "again")
      return redeeming(visitor, goal, token: form["token"], failure)
    }
    let reply = await visitor.run(["PASSWORD.REDEEM", form["token"], form.raw("new")])
    if let text = reply.errorText { return redeeming(visitor, goal, token: form["token"], CommandFailure(text)) }
    return visitor.show(
      "New password",
      [
        .notice(.good, "The password is set", [.text("Sign in with it now.")]),
        .buttons([visitor.backToSignIn(goal)]),
      ])
  }
}
