import GatehouseWire

/// The page before something destructive: a trial of the command shows what would change, who would lose a login and what
/// becomes of the seats; the reason is asked; and sending it does it.
///
///     console.get("people/:user/delete") { visit in
///       let confirmation = Confirmation("Delete the login", command, to: Address("people", id, "delete"), …)
///       return .page(Page("Delete ana?", try await confirmation.blocks(visit)))
///     }
///     console.post("people/:user/delete") { visit in
///       _ = try await visit.write(command)
///       return .redirect(…, Flash("Deleted.", undo: await visit.lastRecord(of: "USER.DELETE")))
///     }
struct Confirmation {
  var submit: String
  var command: [String]
  var action: Address
  var hidden: [(name: String, value: String)]
  var cancel: Address
  var undo: UndoNote
  var fields: [Field]
  /// Who it is about: the policy of their home says how long it can be taken back.
  var person: Person?

  init(
    _ submit: String, _ command: [String], to action: Address, hidden: [(name: String, value: String)] = [],
    cancel: Address, undo: UndoNote, fields: [Field] = [],
    about person: Person? = nil
  ) {
    self.submit = submit
    self.command = command
    self.action = action
    self.hidden = hidden
    self.cancel = cancel
    self.undo = undo
    self.fields = fields
    self.person = person
  }

  /// - Throws: `CommandFailure` if the server refuses it.
  func blocks(_ visit: Visit) async throws -> [Block] {
    // The trial needs a reason where the policy asks for one; the form asks for the real one.
    let trial = try await visit.tryOut(command + ["REASON", "trial"])
    let form = Form(
      action, fields: fields + [Field("reason", "Reason", hint: "Recorded in the trail.", required: true)],
      hidden: hidden, submit: submit, isDangerous: true, cancel: cancel)
    return Trial(trial).blocks + [
      .section("Go ahead?", [.text(await undo.cells(visit, home: person?.card.shown("home"))), form.block])
    ]
  }
}

/// What the answer to a `DRYRUN` says, as blocks.
struct Trial {
  private let reply: RESPValue

  init(_ reply: RESPValue) { self.reply = reply }

  var blocks: [Block] { [approval, changes, logins, seats].compactMap { $0 } }
  /// Without the single changes, where a page shows them in another way.
  var summary: [Block] { [approval, logins, seats].compactMap { $0 } }

  /// Whether somebody loses a login.
  var takesLogins: Bool {
    let logins = reply["logins"]?.elements ?? []
    return logins.contains { $0.shown("before") == "ALLOW" && $0.shown("after") != "ALLOW" }
      || reply["logins-left-out"]?.integer ?? 0 > 0
  }

  private var approval: Block? {
    guard let approval = reply["approval"], !approval.isNull else { return nil }
    return .notice(
      .warn, "A second person has to agree",
      [
        .text("Nothing is done yet: it waits until somebody else approves it ("),
        .code(approval["needs"]?.string ?? ""),
        .text(")."),
      ])
  }

  private var changes: Block? {
    let lines = (reply["changes"]?.elements ?? []).map { ChangeText($0, names: reply["names"]).cells }
    guard !lines.isEmpty else { return .section("What would change", [.text(.muted("Nothing."))]) }
    let shown = lines.prefix(50)
    let more = lines.count - shown.count
    return .section(
      "What would change",
      [
        Table(caption: "Changes", columns: [.init("Change")], rows: shown.map { .init([$0]) }).block
      ] + (more > 0 ? [.text(.muted("… and \(more) more."))] : []))
  }

  private var logins: Block? {
    let logins = reply["logins"]?.elements ?? []
    guard !logins.isEmpty else { return nil }
    let rows = logins.prefix(100).map { login -> Table.Row in
      .init([
        [.value(login["username"])], [.value(login["product"])],
        [.value(login["before"]), .text(" → "), .value(login["after"])],
      ])
    }
    let left = logins.count - rows.count + Int(reply["logins-left-out"]?.integer ?? 0)
    return .section(
      "Who would lose or gain a login",
      [
        Table(caption: "Logins", columns: [.init("Person"), .init("Product"), .init("Login")], rows: Array(rows)).block
      ] + (left > 0 ? [.text(.muted("… and \(left) more."))] : []))
  }

  private var seats: Block? {
    let seats = reply["seats"]?.elements ?? []
    guard !seats.isEmpty else { return nil }
    let rows = seats.map { seat -> Table.Row in
      .init([
        [.value(seat["product"])], [.value(seat["type"])],
        [.value(seat["before"]), .text(" → "), .value(seat["after"])],
      ])
    }
    return .section(
      "Seats", [Table(caption: "Seats", columns: [.init("Product"), .init("Type"), .init("Used")], rows: rows).block])
  }
}
