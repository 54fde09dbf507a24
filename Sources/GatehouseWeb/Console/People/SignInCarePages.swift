import GatehouseWire

/// How somebody signs in, as administrators care for it: a password set by hand or mailed, the second factor, the keys.
struct SignInCarePages {
  func add(to console: ConsoleRouter) {
    console.get("people/:user/set-password") { visit in .page(try await settingPassword(visit, nil)) }
    console.post("people/:user/set-password") { visit in
      let person = try await Person(visit)
      let form = visit.form
      do {
        guard form.raw("password") == form.raw("again") else {
          throw CommandFailure("ERR the two passwords differ; type the same one twice", field: "again")
        }
        let reply = try await visit.write("PASSWORD.SET", person.word, form.raw("password"))
        return .redirect(
          Self.address(person), await visit.done(reply, "\(person.username) has another password; all sessions ended."))
      } catch let failure as CommandFailure where !failure.isPassing {
        return .page(try await settingPassword(visit, failure))
      }
    }
    console.get("people/:user/factor-end") { visit in
      let person = try await Person(visit)
      let form = Form(
        person.address("factor-end"),
        fields: [Field("reason", "Reason", hint: "Recorded in the trail.", required: true)],
        submit: "Remove the second factor", isDangerous: true, cancel: Self.address(person))
      return .page(
        Page(
          "Remove \(person.name)'s second factor?", area: PeoplePages.address,
          [
            .section(
              "Go ahead?",
              note: "All sessions end. The person enrols another device at the next sign-in, or by themselves.",
              [form.block])
          ]))
    }
    console.post("people/:user/factor-end") { visit in
      let person = try await Person(visit)
      let reply = try await visit.write("TOTP.DISABLE", person.word)
      return .redirect(
        Self.address(person),
        await visit.done(reply, "\(person.username) has no second factor any more; all sessions ended."))
    }
    console.post("people/:user/keys-end") { visit in
      let person = try await Person(visit)
      let reply = try await visit.write("APIKEY.DEACTIVATEALL", person.word)
      return .redirect(
        person.address.at("keys-of"), await visit.done(reply, "\(reply.integer ?? 0) keys have ended."))
    }
  }

  private static func address(_ person: Person) -> Address { person.address.at("sign-in") }

  // MARK: On the person's page

  /// - Returns: nil for who may not see it.
  static func section(_ visit: Visit, _ person: Person) async throws -> Block? {
    guard !person.isDeleted, let factor = try await visit.readIfAllowed("TOTP.GET", person.word) else { return nil }
    let isOneself = person.id == String(visit.person.user)
    var buttons: [Button?] = []
    if isOneself {
      buttons = [.link("Your own account", OwnPages.address)]
    } else {
      let verdict = await Self.settingVerdict(visit, person)
      buttons.append(.asked(verdict, .link("Set a password", person.address("set-password")), "Set a password"))
      if factor.flag("enrolled"), verdict.isAllowed {
        buttons.append(.link("Remove the second factor", person.address("factor-end"), .danger))
      }
    }
    let state: [Cell] =
      factor.flag("enrolled")
      ? [
        .badge("on", .good), .text(" since "), .time(factor["since"]?.integer),
        .text(", \(factor["recovery-codes"]?.integer ?? 0) recovery codes left"),
      ] : [.badge("off", .quiet)]
    let password = try await visit.readIfAllowed("PASSWORD.GET", person.word)
    if !isOneself, password?["waits-until"]?.integer != nil {
      buttons.append(
        .asked(
          await visit.verdict("LOGIN.UNLOCK", person.word), .post("End the wait", person.address("unlock")),
          "End the wait"))
    }
    return .section(
      "Sign-in", id: "sign-in", actions: buttons.compactMap { $0 },
      [
        .facts(
          (password.map(Self.facts(ofPassword:)) ?? []) + [
            ("Second factor", state), ("Last login", [.time(person.card["last-login"]?.integer)]),
          ])
      ])
  }

  private static func facts(ofPassword password: RESPValue) -> [(name: String, cells: [Cell])] {
    var state: [Cell] = [.badge("none", .quiet)]
    if let set = password["set"]?.integer {
      state = [.text("set "), .time(set)]
      if password.flag("temporary") { state += [.text(" "), .badge("temporary", .warn)] }
    }
    guard let failures = password["failures"]?.integer, failures > 0 else { return [("Password", state)] }
    var wrong: [Cell] = [.text("\(failures) since the last login")]
    if let until = password["waits-until"]?.integer {
      wrong += [.text(", "), .badge("waits", .warn), .text(" until "), .time(until)]
    }
    return [("Password", state), ("Wrong passwords", wrong)]
  }

  /// What has a password or a code among its words has no trial. This one needs the same right, and whether a mail can be
  /// sent does not matter here.
  private static func settingVerdict(_ visit: Visit, _ person: Person) async -> Verdict {
    await visit.mayBegin(["PASSWORD.GENERATE", person.word], besides: ["mail"])
  }

  private func settingPassword(_ visit: Visit, _ failure: CommandFailure?) async throws -> Page {
    let person = try await Person(visit)
    switch await Self.settingVerdict(visit, person) {
    case .allowed: break
    case .refused(let failure): throw failure
    case .forbidden: throw CommandFailure("NOPERM credential.set over \(person.username), to set their password")
    }
    let form = Form(
      person.address("set-password"),
      fields: [
        Field.newPassword("password", "Password"),
        Field("again", "The same again", .password, required: true, autocomplete: "new-password"),
        Field("reason", "Reason", value: visit.form["reason"], hint: "Recorded in the trail."),
      ], submit: "Set the password", isDangerous: true, cancel: Self.address(person))
    return Page(
      "Set a password for \(person.name)", area: PeoplePages.address, failure: failure,
      [
        .section(
          "Password",
          note: "All sessions end. It is temporary: the next sign-in asks for one of their own, unless the policy "
            + "password.admin-sets-final is on.", [form.block])
      ])
  }
}
