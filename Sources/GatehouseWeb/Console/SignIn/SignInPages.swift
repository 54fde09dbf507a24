import GatehouseServer
import GatehouseWire
import HTTPTypes
import Hummingbird

/// The sign-in, at the console and at applications behind a proxy: name and password, the second factor, a password that
/// must be changed.
struct SignInPages {
  private static let path = "sign-in"
  private static let codePath = "code"
  private static let passwordPath = "new-password"

  private let door: CommandDoor
  private let site: SignInSite
  private let firstStart: FirstStart

  init(_ door: CommandDoor, at site: SignInSite) {
    self.door = door
    self.site = site
    firstStart = FirstStart(door)
  }

  func add(to router: Router<WebContext>) {
    router.get(site.route(Self.path)) { request, context in await begin(Visitor(door, site, request, context)) }
    form(Self.path) { visitor, form in
      await logIn(visitor, form["username"], form.raw("password"), goal(form))
    }
    form(Self.path + "/" + Self.codePath, code)
    form(Self.path + "/" + Self.passwordPath, newPassword)
    SignOutPages(door, at: site).add(to: router)
    guard site == .console else { return }
    form("first-start") { visitor, form in
      guard let login = await firstStart.create(visitor, form) else { return await begin(visitor) }
      switch login {
      case .success(let username):
        return await logIn(visitor, username, form.raw("password"), goal(FormFields()))
      case .failure(let failure): return await firstStart.page(visitor, form, failure)
      }
    }

    func form(_ path: String, _ handler: @escaping @Sendable (Visitor, FormFields) async -> Response) {
      Visitor.form(path, on: router, door, at: site, handler)
    }
  }

  private func goal(_ fields: FormFields) -> SignInGoal { SignInGoal(site, door.configuration, fields) }

  // MARK: Steps

  private func begin(_ visitor: Visitor) async -> Response {
    if site == .console, await firstStart.isDue(visitor) {
      return await firstStart.page(visitor, FormFields(), nil)
    }
    let query = visitor.query
    let goal = goal(query)
    guard !goal.product.isEmpty else { return withoutProduct(visitor) }
    var notices: [Block] = []
    if query.has("lost") {
      notices.append(
        .notice(.warn, "You were signed out", [.text("What you sent was not carried out. Sign in and send it again.")]))
    }
    if query.has("out") { notices.append(.notice(.good, "You are signed out")) }
    switch site {
    case .console: notices += await missingProduct(visitor)
    case .application: notices += await signedInAlready(visitor, goal)
    }
    return visitor.show("Sign in", notices + [signInForm(goal)])
  }

  private func signInForm(_ goal: SignInGoal, username: String = "") -> Block {
    Form(
      site.address(Self.path),
      fields: [
        Field("username", "Username", value: username, required: true, autocomplete: "username"),
        Field("password", "Password", .password, required: true, autocomplete: "current-password"),
      ],
      hidden: goal.fields(site), submit: "Sign in", cancel: ForgottenPages.address(at: site, goal),
      cancelText: "Forgotten your password?"
    ).block
  }

  private func logIn(
    _ visitor: Visitor, _ username: String, _ password: String, _ goal: SignInGoal
  ) async -> Response {
    let words = ["LOGIN.PASSWORD", username, goal.product, password] + visitor.origin
    return await goOn(visitor, await visitor.run(words), username: username, goal)
  }

  private func code(_ visitor: Visitor, _ form: FormFields) async -> Response {
    let goal = goal(form)
    let reply = await visitor.run(["LOGIN.TOTP", form["challenge"], form["code"].withoutBlanks])
    let error: String
    switch (reply["decision"]?.string, reply["reason"]?.string) {
    case ("DENY", "credentials"):
      error = "The code is wrong. Wait for the next one of your app, or use a recovery code."
    // The challenge stays for its five minutes: the password need not be typed again.
    case ("DENY", "wait"): error = "There were too many wrong codes. " + SignInRefusal.waiting(reply)
    default: return await goOn(visitor, reply, username: form["username"], goal)
    }
    return codePage(
      visitor, challenge: form["challenge"], key: form["key"], username: form["username"], goal, error: error)
  }

  /// What follows from the answer to a password or a code.
  private func goOn(_ visitor: Visitor, _ reply: RESPValue, username: String, _ goal: SignInGoal) async -> Response {
    if let text = reply.errorText {
      let failure = CommandFailure(text)
      return visitor.show("Sign in", [signInForm(goal, username: username)], failure: failure)
    }
    switch reply["decision"]?.string {
    case "ALLOW":
      guard let token = reply["session"]?.string else { break }
      if reply["must-change"]?.integer == 1 {
        let cookies = [ConsoleCookie.changing.field(token, visitor.cookies, seconds: 900)]
        return passwordPage(visitor, username: username, goal, error: nil, cookies: cookies)
      }
      let codes = (reply["recovery-codes"]?.elements ?? []).compactMap(\.string)
      return await signedIn(visitor, token, codes, goal)
    case "CHALLENGE":
      return codePage(
        visitor, challenge: reply["challenge"]?.string ?? "", key: reply["enrol"]?.string ?? "", username: username,
        goal, error: nil)
    default: break
    }
    return visitor.show(
      "Sign in",
      [
        .notice(.bad, "You are not signed in", SignInRefusal.cells(reply, goal.product)),
        signInForm(goal, username: username),
      ], status: .forbidden)
  }

  /// The session becomes the browser's: always a new one, and the one that it had before ends.
  ///
  /// - Parameter codes: recovery codes that the login has made, if it has.
  private func signedIn(
    _ visitor: Visitor, _ token: String, _ codes: [String], _ goal: SignInGoal
  ) async -> Response {
    if let old = visitor.token { await visitor.end(old) }
    var cookies = [visitor.sessionCookie(token)]
    for gone in [ConsoleCookie.visitor, .changing] { cookies.append(gone.field(nil, visitor.cookies)) }
    if site == .console {
      cookies.append(ConsoleCookie.acting.field(nil, visitor.cookies))
      if let workspace = await FirstWorkspace.of(token, visitor) {
        cookies.append(ConsoleCookie.workspace.field(Address.encoded(workspace), visitor.cookies))
      }
    }
    let target = goal.next.nonEmpty ?? site.landing
    guard codes.isEmpty else { return recoveryCodes(codes, goOn: Address(asItIs: target), cookies) }
    return .redirect(toPage: target, cookies: cookies)
  }

  /// The recovery codes, which no other page shows again.
  private func recoveryCodes(_ codes: [String], goOn address: Address, _ cookies: [String]) -> Response {
    OutsidePage(
      "Your recovery codes",
      [
        .text(
          .text("Each of them works once in place of a code of your app. They are shown only now: keep them safe.")),
        .code("Recovery codes", codes.joined(separator: "\n")),
        .buttons([.link("Go on", address, .primary)]),
      ], at: site
    ).response(cookies: cookies)
  }

  // MARK: The second factor

  private func codePage(
    _ visitor: Visitor, challenge: String, key: String, username: String, _ goal: SignInGoal, error: String?
  ) -> Response {
    var blocks: [Block] = []
    if !key.isEmpty {
      blocks +=
        [
          .text(.text("Your workspace asks for a second factor."))
        ] + EnrolmentKey(key).blocks
    }
    let field = Field(
      "code", "Code of your authenticator app", hint: key.isEmpty ? "Or one of your recovery codes." : nil,
      error: error,
      required: true, autocomplete: "one-time-code")
    let form = Form(
      site.address(Self.path, Self.codePath), fields: [field],
      hidden: [("challenge", challenge), ("key", key), ("username", username)] + goal.fields(site), submit: "Sign in",
      cancel: site.address(Self.path).adding(goal.fields(site)))
    return visitor.show("Second factor", blocks + [form.block], status: error == nil ? .ok : .forbidden)
  }

  // MARK: A password that must be changed

  private func passwordPage(
    _ visitor: Visitor, username: String, _ goal: SignInGoal, error: CommandFailure?, cookies: [String] = []
  ) -> Response {
    let form = Form(
      site.address(Self.path, Self.passwordPath),
      fields: [
        Field("old", "The password you signed in with", .password, required: true, autocomplete: "current-password"),
        Field.newPassword("new", "New password"),
        Field("again", "New password again", .password, required: true, autocomplete: "new-password"),
      ],
      hidden: [("username", username)] + goal.fields(site), submit: "Change the password",
      cancel: site.address(Self.path).adding(goal.fields(site)))
    let intro: [Block] = [.text(.text("Your password is temporary. Choose one of your own; then you are signed in."))]
    return visitor.show(
      "New password", (error == nil ? intro : []) + [form.block], failure: error, cookies: cookies)
  }

  private func newPassword(_ visitor: Visitor, _ form: FormFields) async -> Response {
    let goal = goal(form)
    guard let token = ConsoleCookie.changing.value(in: visitor.request, visitor.cookies) else {
      return visitor.show(
        "Sign in",
        [
          .notice(.warn, "That took too long", [.text("Sign in again to change your password.")]),
          signInForm(goal, username: form["username"]),
        ])
    }
    guard form.raw("new") == form.raw("again") else {
      return passwordPage(
        visitor, username: form["username"], goal,
        error: CommandFailure("ERR the two new passwords differ; type the same one twice", field: "again"))
    }
    let caller = door.server(visitor.context.connection).acting(as: token)
    let check = await visitor.run(["SESSION.CHECK", token])
    do throws(CommandFailure) {
      _ = try await door.answer(["PASSWORD.CHANGE", form.raw("old"), form.raw("new")], for: caller).orFailure()
    } catch {
      return passwordPage(visitor, username: form["username"], goal, error: error)
    }
    // The change has ended all sessions. Who has just shown password and second factor need not show them again, and a
    // code would not be taken twice. Who has no second factor logs in anew, which begins one where the policy wants it.
    let user = check["user"]?.integer.map { "#\($0)" } ?? form["username"]
    guard await visitor.run(["TOTP.GET", user])["enrolled"]?.integer == 1,
      // For the product that the first session was for, not for any that a form could name.
      let product = check["product"]?.string,
      let token = await visitor.run(["SESSION.CREATE", user, product] + visitor.origin)["session"]?.string
    else { return await logIn(visitor, form["username"], form.raw("new"), goal) }
    return await signedIn(visitor, token, [], goal)
  }

  // MARK: Before the sign-in

  /// Says what to do where the console's product does not exist, so that nobody could sign in.
  private func missingProduct(_ visitor: Visitor) async -> [Block] {
    let product = door.configuration.consoleProduct
    let reply = await visitor.run(["POOL.LIST", product])
    guard reply.errorText?.hasPrefix("NOTFOUND") == true else { return [] }
    return [
      .notice(
        .warn, "Nobody can sign in yet",
        [
          .text("People of the product "), .strong(product),
          .text(" may open the console, and it does not exist. Create it, and let somebody in:"),
        ]),
      .code(
        "Commands", "gatehouse cli PRODUCT.CREATE \(product)\ngatehouse cli PRODUCT.ENABLE sam \(product)"),
    ]
  }

  /// An application leads its own users here, too, if they may not enter it. It is not gone back to by itself, because it
  /// might lead here again.
  private func signedInAlready(_ visitor: Visitor, _ goal: SignInGoal) async -> [Block] {
    guard let token = visitor.token else { return [] }
    let session = await visitor.run(["SESSION.CHECK", token])
    guard let username = session["username"]?.string, let user = session["user"]?.integer,
      session["must-change"]?.integer != 1
    else { return [] }
    let decision = (await visitor.run(["LOGIN.CHECK", "#\(user)", goal.product])).string ?? ""
    let reason = decision.split(separator: " ").dropFirst().first.map(String.init)
    let why: [Cell] = reason.map { SignInRefusal.cells(reason: $0, goal.product) } ?? [.text("go on, or sign in anew.")]
    return [
      .notice(reason == nil ? .accent : .warn, "You are signed in as \(username)", why),
      .buttons([
        .link("Go on", Address(asItIs: goal.next.nonEmpty ?? site.landing)),
        .link("Sign out", site.address("sign-out")),
      ]),
    ]
  }

  /// Somebody has come by hand, and not by way of an application.
  private func withoutProduct(_ visitor: Visitor) -> Response {
    visitor.show(
      "Sign in",
      [
        .notice(.warn, "It is not known for which application", [.text("Open the application itself; it leads here.")]),
        .buttons([visitor.backToSignIn()]),
      ], status: .badRequest)
  }
}
