import GatehouseServer
import GatehouseWire
import HTTPTypes
import Hummingbird

/// The sign-in: name and password, the second factor, a password that must be changed; and the sign-out.
struct SignInPages {
  private let door: CommandDoor
  private let firstStart: FirstStart

  init(_ door: CommandDoor) {
    self.door = door
    firstStart = FirstStart(door)
  }

  func add(to router: Router<WebContext>) {
    router.get("console/sign-in") { request, context in await begin(Visitor(door, request, context)) }
    Visitor.form("sign-in", on: router, door, password)
    Visitor.form("sign-in/code", on: router, door, code)
    Visitor.form("sign-in/new-password", on: router, door, newPassword)
    Visitor.form("first-start", on: router, door) { visitor, form in
      guard let login = await firstStart.create(visitor, form) else { return await begin(visitor) }
      switch login {
      case .success(let username):
        return await logIn(visitor, username, form.raw("password"), next: nil)
      case .failure(let failure): return await firstStart.page(visitor, form, failure)
      }
    }
    router.post("console/sign-out") { request, context in await signOut(request, context) }
  }

  // MARK: Steps

  private func begin(_ visitor: Visitor) async -> Response {
    if await firstStart.isDue(visitor) { return await firstStart.page(visitor, FormFields(), nil) }
    let query = (try? FormFields(parsing: visitor.request.uri.query ?? "")) ?? FormFields()
    var notices: [Block] = []
    if query.has("lost") {
      notices.append(
        .notice(.warn, "You were signed out", [.text("What you sent was not carried out. Sign in and send it again.")]))
    }
    if query.has("out") { notices.append(.notice(.good, "You are signed out")) }
    return visitor.show("Sign in", notices + (await missingProduct(visitor)) + [signInForm(next: query["next"])])
  }

  private func signInForm(next: String, username: String = "") -> Block {
    Form(
      Address("sign-in"),
      fields: [
        Field("username", "Username", value: username, required: true, autocomplete: "username"),
        Field("password", "Password", .password, required: true, autocomplete: "current-password"),
      ],
      hidden: next.isEmpty ? [] : [("next", next)], submit: "Sign in", cancel: ForgottenPages.address,
      cancelText: "Forgotten your password?"
    ).block
  }

  private func password(_ visitor: Visitor, _ form: FormFields) async -> Response {
    await logIn(visitor, form["username"], form.raw("password"), next: form["next"])
  }

  private func logIn(_ visitor: Visitor, _ username: String, _ password: String, next: String?) async -> Response {
    let words = ["LOGIN.PASSWORD", username, door.configuration.consoleProduct, password] + visitor.origin
    return await goOn(visitor, await visitor.run(words), username: username, next: next ?? "")
  }

  private func code(_ visitor: Visitor, _ form: FormFields) async -> Response {
    let reply = await visitor.run(["LOGIN.TOTP", form["challenge"], form["code"].filter { !$0.isWhitespace }])
    let error: String
    switch (reply["decision"]?.string, reply["reason"]?.string) {
    case ("DENY", "credentials"):
      error = "The code is wrong. Wait for the next one of your app, or use a recovery code."
    // The challenge stays for its five minutes: the password need not be typed again.
    case ("DENY", "wait"): error = "There were too many wrong codes. " + Self.waiting(reply)
    default: return await goOn(visitor, reply, username: form["username"], next: form["next"])
    }
    return codePage(
      visitor, challenge: form["challenge"], key: form["key"], username: form["username"], next: form["next"],
      error: error)
  }

  /// What follows from the answer to a password or a code.
  private func goOn(_ visitor: Visitor, _ reply: RESPValue, username: String, next: String) async -> Response {
    if let text = reply.errorText {
      let failure = CommandFailure(text)
      return visitor.show(
        "Sign in", [failure.block, signInForm(next: next, username: username)], status: failure.status)
    }
    switch reply["decision"]?.string {
    case "ALLOW":
      guard let token = reply["session"]?.string else { break }
      if reply["must-change"]?.integer == 1 {
        let cookies = [ConsoleCookie.changing.field(token, visitor.context.cookies, seconds: 900)]
        return passwordPage(visitor, username: username, next: next, error: nil, cookies: cookies)
      }
      let codes = (reply["recovery-codes"]?.elements ?? []).compactMap(\.string)
      return await signedIn(visitor, token, codes, next: next)
    case "CHALLENGE":
      return codePage(
        visitor, challenge: reply["challenge"]?.string ?? "", key: reply["enrol"]?.string ?? "", username: username,
        next: next, error: nil)
    default: break
    }
    let why = Self.refusal(reply, door.configuration.consoleProduct)
    return visitor.show(
      "Sign in", [.notice(.bad, "You are not signed in", why), signInForm(next: next, username: username)],
      status: .forbidden)
  }

  /// The session becomes the browser's: always a new one, and the one that it had before ends.
  ///
  /// - Parameter codes: recovery codes that the login has made, if it has.
  private func signedIn(_ visitor: Visitor, _ token: String, _ codes: [String], next: String) async -> Response {
    let cookieScope = visitor.context.cookies
    if let old = ConsoleCookie.session.value(in: visitor.request, cookieScope) {
      _ = await end(old, visitor.context)
    }
    var cookies = [ConsoleCookie.session.field(token, cookieScope)]
    for gone in [ConsoleCookie.visitor, .acting, .changing] { cookies.append(gone.field(nil, cookieScope)) }
    if let workspace = await ownWorkspace(visitor, token) {
      cookies.append(ConsoleCookie.workspace.field(Address.encoded(workspace), cookieScope))
    }
    let target = Address.isLocal(next) ? next : Address.root
    guard codes.isEmpty else { return recoveryCodes(codes, goOn: Address(raw: target), cookies) }
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
      ]
    ).response(cookies: cookies)
  }

  /// Ends a session that a cookie names, on its own authority: what a browser sends ends nobody else's.
  private func end(_ token: String, _ context: WebContext) async -> RESPValue {
    let caller = door.server(context.connection).acting(as: token)
    return await door.execute(["SESSION.REVOKE", token, "TOKEN"], for: caller)
  }

  /// The workspace that the console shows first: `main` to those who may do something everywhere, else the first one in
  /// which they may.
  private func ownWorkspace(_ visitor: Visitor, _ token: String) async -> String? {
    let check = await visitor.run(["SESSION.CHECK", token])
    guard let user = check["user"]?.integer else { return nil }
    let scopes = (await visitor.run(["PERMISSION.LIST", "#\(user)"]).elements ?? []).compactMap { $0["scope"]?.string }
    if scopes.contains("everywhere") { return "main" }
    var asked: Set<String> = []
    for workspace in scopes.compactMap(RoleScope.workspace)
    where asked.count < Self.mostAsked && asked.insert(workspace).inserted {
      // An account may have a slash in its name.
      if await visitor.run(["WORKSPACE.GET", workspace]).errorText == nil { return workspace }
    }
    return "main"
  }

  private static let mostAsked = 20

  private func signOut(_ request: Request, _ context: WebContext) async -> Response {
    guard let token = ConsoleCookie.session.value(in: request, context.cookies) else {
      return .redirect(toPage: Address("sign-in").text)
    }
    do {
      _ = try await FormGuard.form(request, secret: token)
    } catch {
      return OutsidePage(
        "Sign out", [.notice(.bad, "You are still signed in", [.text("This form was not sent by the console.")])]
      ).response(.forbidden)
    }
    if let acting = ConsoleCookie.acting.value(in: request, context.cookies) {
      // As the person, whom the trail then names.
      let caller = door.server(context.connection).acting(as: token)
      _ = await door.execute(["IMPERSONATE.END", acting, "TOKEN"], for: caller)
    }
    _ = await end(token, context)
    let gone = [ConsoleCookie.session, .acting, .flash, .workspace].map { $0.field(nil, context.cookies) }
    return .redirect(toPage: Address("sign-in").adding("out", "1").text, cookies: gone)
  }

  // MARK: The second factor

  private func codePage(
    _ visitor: Visitor, challenge: String, key: String, username: String, next: String, error: String?
  ) -> Response {
    var blocks: [Block] = []
    if !key.isEmpty {
      blocks +=
        [
          .text(.text("Your workspace asks for a second factor."))
        ] + EnrolmentKey(key).blocks
    }
    let field = Field(
      "code", "Code of your authenticator app", error: error, required: true, autocomplete: "one-time-code")
    let form = Form(
      Address("sign-in", "code"), fields: [field],
      hidden: [("challenge", challenge), ("key", key), ("username", username), ("next", next)], submit: "Sign in",
      cancel: Address("sign-in"))
    return visitor.show("Second factor", blocks + [form.block], status: error == nil ? .ok : .forbidden)
  }

  // MARK: A password that must be changed

  private func passwordPage(
    _ visitor: Visitor, username: String, next: String, error: CommandFailure?, cookies: [String] = []
  ) -> Response {
    let form = Form(
      Address("sign-in", "new-password"),
      fields: [
        Field("old", "The password you signed in with", .password, required: true, autocomplete: "current-password"),
        Field("new", "New password", .password, required: true, autocomplete: "new-password"),
        Field("again", "New password again", .password, required: true, autocomplete: "new-password"),
      ],
      hidden: [("username", username), ("next", next)], submit: "Change the password", cancel: Address("sign-in"))
    let intro: [Block] = [.text(.text("Your password is temporary. Choose one of your own; then you are signed in."))]
    return visitor.show(
      "New password", (error.map { [$0.block] } ?? intro) + [form.block], status: error?.status ?? .ok, cookies: cookies
    )
  }

  private func newPassword(_ visitor: Visitor, _ form: FormFields) async -> Response {
    let cookieScope = visitor.context.cookies
    guard let token = ConsoleCookie.changing.value(in: visitor.request, cookieScope) else {
      return visitor.show(
        "Sign in",
        [
          .notice(.warn, "That took too long", [.text("Sign in again to change your password.")]),
          signInForm(next: form["next"], username: form["username"]),
        ])
    }
    guard form.raw("new") == form.raw("again") else {
      return passwordPage(
        visitor, username: form["username"], next: form["next"],
        error: CommandFailure("ERR the two new passwords differ; type the same one twice"))
    }
    let caller = door.server(visitor.context.connection).acting(as: token)
    let check = await visitor.run(["SESSION.CHECK", token])
    let reply = await door.execute(["PASSWORD.CHANGE", form.raw("old"), form.raw("new")], for: caller)
    if let text = reply.errorText {
      return passwordPage(
        visitor, username: form["username"], next: form["next"], error: CommandFailure(text))
    }
    // The change has ended all sessions. Who has just shown password and second factor need not show them again, and a
    // code would not be taken twice. Who has no second factor logs in anew, which begins one where the policy wants it.
    let user = check["user"]?.integer.map { "#\($0)" } ?? form["username"]
    guard await visitor.run(["TOTP.GET", user])["enrolled"]?.integer == 1 else {
      return await logIn(visitor, form["username"], form.raw("new"), next: form["next"])
    }
    let session = await visitor.run(["SESSION.CREATE", user, door.configuration.consoleProduct] + visitor.origin)
    guard let token = session["session"]?.string else {
      return await logIn(visitor, form["username"], form.raw("new"), next: form["next"])
    }
    return await signedIn(visitor, token, [], next: form["next"])
  }

  // MARK: Refusals

  /// Wrong names and wrong passwords look alike; what else refuses is told only to who knows the password.
  private static func refusal(_ reply: RESPValue, _ product: String) -> [Cell] {
    switch reply["reason"]?.string {
    case "credentials": return [.text("The name or the password is wrong.")]
    case "wait":
      return [.text("There were too many wrong passwords. " + waiting(reply))]
    case "challenge": return [.text("The sign-in took too long. Begin again.")]
    case "unknown-product", "product-disabled", "no-licence":
      return [
        .text("The password is right, but you have no access to "), .strong(product),
        .text(". Somebody who manages access can give it: "),
        .code("gatehouse cli PRODUCT.ENABLE you \(product)"),
      ]
    case let reason?: return [.text("The password is right, but the login is refused: "), .code(reason), .text(".")]
    case nil: return [.text("The server gave no answer that is understood.")]
    }
  }

  private static func waiting(_ reply: RESPValue) -> String {
    "Try again in \(max(1, ((reply["retry-after"]?.integer ?? 1000) + 999) / 1000)) s."
  }

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
}
