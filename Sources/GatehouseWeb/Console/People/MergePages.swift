import GatehouseWire

/// Making one person of several who are the same: whom to keep is chosen, each merge is tried, and then all are done, or none,
/// in one record.
struct MergePages {
  /// More than these are hardly the same person.
  private static let most = 20
  private static let address = Address("people", "merge-several")

  func add(to console: ConsoleRouter) {
    console.post("people/merge-several") { visit in .page(try await page(visit)) }
    console.post("people/merge-several/apply") { visit in
      let keep = visit.form["keep"]
      let drops = try others(visit, besides: keep)
      // What one command did can be taken back; what several did in one record cannot.
      let isOne = drops.count == 1
      let replies =
        isOne
        ? [try await visit.write(command(keep, drops[0]))]
        : try await visit.write(together: drops.map { command(keep, $0) })
      let kept = replies.last?.shown("username").nonEmpty ?? "#" + keep
      return .redirect(
        Address("people", keep),
        await visit.done(
          replies.last ?? .null, "\(drops.count) \(isOne ? "was" : "were") merged into \(kept).",
          undo: isOne ? "USER.MERGE" : nil))
    }
  }

  private func command(_ keep: String, _ drop: String) -> [String] {
    ["USER.MERGE", "#" + keep, "#" + drop, "ACCEPT-BILLING"]
  }

  /// Who was ticked.
  private func ticked(_ visit: Visit) throws -> [String] {
    let ids = visit.form.all("id").filter { !$0.isEmpty && $0.allSatisfy { $0.isASCII && $0.isNumber } }
    guard ids.count > 1 else {
      throw CommandFailure("ERR fewer than two people are ticked; tick those who are the same")
    }
    guard ids.count <= Self.most else {
      throw CommandFailure("LIMIT people: at most \(Self.most) are merged at once; tick fewer")
    }
    return ids
  }

  private func others(_ visit: Visit, besides keep: String) throws -> [String] {
    let ids = try ticked(visit)
    guard ids.contains(keep) else { throw CommandFailure("ERR nobody is kept; choose who stays", field: "keep") }
    return ids.filter { $0 != keep }
  }

  /// The list that they were ticked in.
  private func list(_ visit: Visit) throws -> Address {
    PeopleQuery(try FormFields(parsing: visit.form["match"]), workspace: visit.workspace, now: visit.now)
      .address(cursor: nil)
  }

  private func page(_ visit: Visit) async throws -> Page {
    let ids = try ticked(visit)
    let hidden = ids.map { (name: "id", value: $0) } + [("match", visit.form["match"])]
    var people: [(id: String, username: String, name: String)] = []
    for id in ids {
      let user = try await visit.readQuietly(["USER.GET", "#" + id])
      people.append((id, user.shown("username"), user.shown("name")))
    }
    let keep = visit.form["keep"].nonEmpty ?? ids[0]
    let choice = Form(
      Self.address,
      fields: [
        Field("keep", "Who stays", .choice(people.map { .init($0.id, "\($0.username), \($0.name)") }), value: keep)
      ], hidden: hidden, submit: "See what would change", cancel: try list(visit))
    let title = "Merge \(ids.count) people?"
    guard let chosen = people.first(where: { $0.id == visit.form["keep"] }) else {
      return Page(
        title, area: PeoplePages.address, [.section("Whom the others lead to from then on", [choice.block])])
    }
    // The choice is made: only what was tried is sent.
    let other = Button.post("Choose somebody else", Self.address, hidden)
    return Page(
      title, area: PeoplePages.address,
      [.section("\(chosen.username), \(chosen.name), stays", [.buttons([other])])]
        + (try await trials(visit, people, keep)))
  }

  private func trials(
    _ visit: Visit, _ people: [(id: String, username: String, name: String)], _ keep: String
  ) async throws -> [Block] {
    var rows: [Table.Row] = []
    var isRefused = false
    var details: [Block] = []
    let drops = try others(visit, besides: keep)
    for drop in drops {
      let (verdict, trial) = await visit.trial(command(keep, drop) + ["REASON", "trial"])
      var failure: CommandFailure?
      if case .refused(let why) = verdict { failure = why }
      if verdict.isForbidden { failure = CommandFailure("NOPERM user.delete, to merge them") }
      if failure != nil { isRefused = true }
      if verdict.isAllowed { details += drops.count == 1 ? Trial(trial).blocks : Trial(trial).summary }
      let name = people.first { $0.id == drop }?.username ?? "#" + drop
      rows.append(
        .init([
          [.link(name, Address("people", drop))],
          failure.map { [.badge("refused", .bad), .text(" " + $0.detail)] }
            ?? [.badge("would be merged", .good)],
        ]))
    }
    let table = Table(caption: "Merges", columns: [.init("Person"), .init("What becomes of them")], rows: rows)
    let section = Block.section("What would change", [table.block])
    guard !isRefused else {
      return [
        section, .notice(.bad, "Nobody is merged", [.text("All are merged, or none: leave out who is refused.")]),
      ]
    }
    let form = Form(
      Address("people", "merge-several", "apply"),
      fields: [Field("reason", "Reason", hint: "Recorded in the trail.", required: true)],
      hidden: people.map { ("id", $0.id) } + [("keep", keep)], submit: "Merge them", isDangerous: true,
      cancel: try list(visit))
    return [section] + details + [
      .section(
        "Go ahead?",
        note: people.count == 2
          ? "The trail says what each had."
          : "All are merged, or none, and this cannot be taken back. The trail says what each had.", [form.block])
    ]
  }
}
