import GatehouseWire

/// The account of who is signed in: password, second factor, keys of one's own.
struct OwnPages: ConsolePages {
  static let address = Address("me")

  var areas: [Area] { [] }

  func add(to console: ConsoleRouter) {
    console.get("me") { visit in .page(try await Self.page(visit, nil)) }
    console.post("me/password") { visit in try await Self.changePassword(visit) }
    console.post("me/factor") { visit in .page(try await Self.enrolling(visit, nil)) }
    console.post("me/factor/confirm") { visit in try await Self.confirm(visit) }
    console.post("me/factor/end") { visit in
      do {
        _ = try await visit.write("TOTP.DISABLE", Self.word(visit), "CODE", visit.form["code"].withoutBlanks)
      } catch let failure as CommandFailure where !failure.isPassing {
        return .page(try await Self.page(visit, failure))
      }
      return .redirect(Self.address, Flash("You have no second factor any more. Sign in again."))
    }
    console.post("me/key") { visit in
      let ttl = visit.form["ttl"]
      do {
        let made = try await visit.write(
          ["APIKEY.CREATE", Self.word(visit), "NAME", visit.form["name"]] + (ttl.isEmpty ? [] : ["TTL", ttl]))
        return .page(Self.shown(made))
      } catch let failure as CommandFailure where !failure.isPassing {
        return .page(try await Self.page(visit, failure))
      }
    }
    console.post("me/key-rotate") { visit in
      let made = try await visit.write("APIKEY.ROTATE", visit.form["key"])
      return .page(Self.shown(made))
    }
  }

  private static func word(_ visit: Visit) -> String { "#\(visit.person.user)" }

  private static func page(_ visit: Visit, _ failure: CommandFailure?) async throws -> Page {
    guard visit.person.actor == nil else {
      return Page(
        "Your account", failure: failure,
        [.empty("You act as somebody else", "Their password, second factor and keys are theirs alone.")])
    }
    var blocks = [passwordSection]
    if let factor = try await visit.readIfAllowed("TOTP.GET", word(visit)) { blocks.append(factorSection(factor)) }
    if let keys = try await keySection(visit) { blocks.append(keys) }
    return Page(
      "Your account", intro: [.link("Your card", Address("people", String(visit.person.user)))], failure: failure,
      blocks)
  }

  // MARK: Password

  private static var passwordSection: Block {
    let form = Form(
      Address("me", "password"), id: "password",
      fields: [
        Field("old", "Password of now", .password, required: true, autocomplete: "current-password"),
        Field.newPassword("new", "New password"),
        Field("again", "New password again", .password, required: true, autocomplete: "new-password"),
      ], submit: "Change the password")
    return .section("Password", note: "All sessions end, this one too.", [form.block])
  }

  private static func changePassword(_ visit: Visit) async throws -> Outcome {
    let form = visit.form
    do {
      guard form.raw("new") == form.raw("again") else {
        throw CommandFailure("ERR the two new passwords differ; type the same one twice", field: "again")
      }
      _ = try await visit.write("PASSWORD.CHANGE", form.raw("old"), form.raw("new"))
    } catch let failure as CommandFailure where !failure.isPassing {
      return .page(try await page(visit, failure))
    }
    return .redirect(address, Flash("Your password is changed. Sign in with the new one."))
  }

  // MARK: The second factor

  private static func factorSection(_ factor: RESPValue) -> Block {
    guard factor.flag("enrolled") else {
      let form = Form(Address("me", "factor"), id: "factor", submit: "Set one up")
      return .section(
        "Second factor",
        note: "A code of an app on your phone, asked at each sign-in after the password. You have none.", [form.block])
    }
    let form = Form(
      Address("me", "factor", "end"), id: "factor",
      fields: [
        Field(
          "code", "Code of your app, or a recovery code", required: true, autocomplete: "one-time-code")
      ], submit: "Remove it", isDangerous: true)
    return .section(
      "Second factor", note: "To change the phone, remove it and set it up again. All sessions end.",
      [
        .facts([
          ("Since", [.time(factor["since"]?.integer)]),
          ("Recovery codes left", [.value(factor["recovery-codes"])]),
        ]), form.block,
      ])
  }

  private static func enrolling(_ visit: Visit, _ failure: CommandFailure?) async throws -> Page {
    let address = failure == nil ? try await visit.write("TOTP.ENROL", word(visit)).shown : visit.form["key"]
    let form = Form(
      Address("me", "factor", "confirm"),
      fields: [Field("code", "Code of your authenticator app", required: true, autocomplete: "one-time-code")],
      hidden: [("key", address)], submit: "Confirm", cancel: Self.address)
    return Page(
      "Set up a second factor", failure: failure,
      [.section("Your authenticator app", EnrolmentKey(address).blocks + [form.block])])
  }

  private static func confirm(_ visit: Visit) async throws -> Outcome {
    do {
      let codes = try await visit.write("TOTP.CONFIRM", word(visit), visit.form["code"].withoutBlanks)
      return .page(
        Page(
          "Your recovery codes",
          [
            .notice(
              .warn, "They are shown this once",
              [.text("Each works once in place of a code of your app. Keep them safe. All sessions have ended.")]),
            .code("Recovery codes", (codes.elements ?? []).map(\.shown).joined(separator: "\n")),
            .buttons([.link("Sign in again", Self.address, .primary)]),
          ]))
    } catch let failure as CommandFailure where !failure.isPassing {
      return .page(try await enrolling(visit, failure))
    }
  }

  // MARK: Keys

  private static func keySection(_ visit: Visit) async throws -> Block? {
    guard let list = try await visit.readIfAllowed("APIKEY.LIST", word(visit))?.elements else { return nil }
    let rows = list.prefix(50).map { key -> Table.Row in
      let name = key.shown("name").nonEmpty ?? "key \(key.shown("id"))"
      let buttons: [Button] =
        key.flag("active")
        ? [
          .post(
            "Rotate", Address("me", "key-rotate"), [("key", key.shown("id"))], label: "Make a key in place of \(name)"),
          .post(
            "End", Address("people", String(visit.person.user), "key-end"), [("key", key.shown("id"))], .danger,
            label: "End the key \(name)"),
        ] : []
      return .init(
        [
          [.strong(name)], [key.flag("active") ? .badge("active", .good) : .badge("ended", .quiet)],
          [.time(key["created"]?.integer)], [.time(key["last-used"]?.integer)], [.time(key["expires"]?.integer)],
        ], buttons: buttons)
    }
    let form = Form(
      Address("me", "key"), layout: .row, id: "key",
      fields: [
        Field("name", "Name", hint: "What it is for.", required: true),
        Field("ttl", "Ends after", hint: "Such as 90d; empty for as long as the policy allows."),
      ], submit: "Make a key")
    return .section(
      "API keys", id: "keys", note: "A program with such a key acts as you.",
      [
        Table(
          caption: "Your API keys",
          columns: [.init("Name"), .init("State"), .init("Made"), .init("Last used"), .init("Expires")], rows: rows,
          empty: .text(.muted("You have no key."))
        ).block, form.block,
      ])
  }

  private static func shown(_ made: RESPValue) -> Page {
    Page(
      "The key \(made.shown("name"))",
      [
        .notice(.warn, "It is shown this once", [.text("Copy it to the program's settings now.")]),
        .code("Key", made.shown("key").nonEmpty ?? "it was shown when this form was sent first"),
        .buttons([.link("Your account", address)]),
      ])
  }
}

extension String {
  /// Codes are often typed in groups.
  var withoutBlanks: String { filter { !$0.isWhitespace } }
}
