import GatehouseServer
import GatehouseWire
import Hummingbird
import Synchronization

/// The very first start, when there is nobody yet: a page that creates the first administrator.
///
/// Then every program on this machine may do everything anyway, as long as there is no service. A page of another site
/// must not: its name could be made to lead to this machine (DNS rebinding), so that the address in the browser must be
/// one that always does.
struct FirstStart {
  private let door: CommandDoor
  private let entry = Entry()

  init(_ door: CommandDoor) { self.door = door }

  /// Lets one in at a time: of several who send the form at once, only one may become the first.
  private final class Entry: Sendable {
    private let isTaken = Atomic<Bool>(false)

    func take() -> Bool { !isTaken.exchange(true, ordering: .acquiring) }
    func leave() { isTaken.store(false, ordering: .releasing) }
  }

  func isDue(_ visitor: Visitor) async -> Bool {
    guard Authentication(door: door).isThisMachine(visitor.request, visitor.context), let caller = local(visitor) else {
      return false
    }
    let people = await door.execute(["USER.LIST", "COUNT", "1", "FIELDS", "1", "id"], for: caller)
    return people.errorText == nil && ListPage(people).items.isEmpty
  }

  /// The server's own authority, if whoever asks has it anyway.
  private func local(_ visitor: Visitor) -> Caller? {
    guard !door.hasServices else { return nil }
    return door.anonymous(visitor.context.connection)
  }

  func page(_ visitor: Visitor, _ form: FormFields, _ failure: CommandFailure?) async -> Response {
    let fields = [
      Field("name", "Your name", value: form["name"], required: true, autocomplete: "name"),
      Field("username", "Username", value: form["username"], required: true, autocomplete: "username"),
      Field("email", "E-mail", .email, value: form["email"], autocomplete: "email"),
      Field.newPassword("password", "Password"),
      Field("again", "Password again", .password, required: true, autocomplete: "new-password"),
    ]
    let intro: [Block] = [
      .text(
        .text(
          "There is nobody here yet. You become the first super administrator: you may do everything, and let others in."
        ))
    ]
    return visitor.show(
      "Welcome to Gatehouse",
      (failure == nil ? intro : [])
        + [Form(Address("first-start"), fields: fields, submit: "Create and sign in").block], failure: failure)
  }

  /// Creates the product of the console and the administrator. A password that somebody else sets is
  /// temporary, so that the administrator gets one at random and changes it at once to the one that was typed. (If the
  /// server dies just before that, `PASSWORD.SET` on this machine gives another.)
  ///
  /// - Returns: nil if it is not the first start any more.
  func create(_ visitor: Visitor, _ form: FormFields) async -> Result<String, CommandFailure>? {
    guard entry.take() else {
      return .failure(
        CommandFailure("BUSY somebody is becoming the first administrator right now; load the page again"))
    }
    defer { entry.leave() }
    guard await isDue(visitor), let caller = local(visitor) else { return nil }
    guard form.raw("password") == form.raw("again") else {
      return .failure(CommandFailure("ERR the two passwords differ; type the same one twice", field: "again"))
    }
    let product = door.configuration.consoleProduct
    let username = form["username"]
    let temporary = FormToken.random()
    var words = ["USER.CREATE", username, "NAME", form["name"]]
    if !form["email"].isEmpty { words += ["EMAIL", form["email"]] }
    words += ["STATUS", "active", "NOINVITE", "ROLE", "super-administrator", "REASON", "first start", "PASSWORD"]
    do throws(CommandFailure) {
      // What was typed is refused before anything is there.
      _ = try await run(words + [form.raw("password"), "DRYRUN"], caller)
      do throws(CommandFailure) {
        _ = try await run(["PRODUCT.CREATE", product], caller)
      } catch  where error.code == "CONFLICT" {}
      _ = try await run(words + [temporary, "PRODUCT", product], caller)
      let login = try await run(["LOGIN.PASSWORD", username, product, temporary] + visitor.origin, caller)
      let session = caller.acting(as: login["session"]?.string ?? "")
      _ = try await run(["PASSWORD.CHANGE", temporary, form.raw("password")], session)
      return .success(username)
    } catch {
      return .failure(error)
    }
  }

  private func run(_ words: [String], _ caller: Caller) async throws(CommandFailure) -> RESPValue {
    try await door.answer(words, for: caller).orFailure()
  }
}
