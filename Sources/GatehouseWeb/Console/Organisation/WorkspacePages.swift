import GatehouseCore
import GatehouseWire

/// Workspaces: plan, owner, policies with their profiles.
struct WorkspacePages: ConsolePages {
  static let address = Address("workspaces")

  var areas: [Area] {
    [Area("Workspaces and policies", .server, Self.address, needs: ["workspace.set", "security.set"])]
  }

  private static let profiles = ["actitime", "actionstep", "aptien", "accessplanit", "clockify"]

  func add(to console: ConsoleRouter) {
    console.get("workspaces") { visit in .page(try await Self.list(visit)) }
    console.post("workspaces/new") { visit in
      let name = visit.form["name"]
      let profile = visit.form["profile"].nonEmpty
      let reply = try await visit.write(["WORKSPACE.CREATE", name] + (profile.map { ["PROFILE", $0] } ?? []))
      return .redirect(Address("workspaces", name), await visit.done(reply, "The workspace \(name) is there."))
    }
    console.get("workspaces/:name") { visit in .page(try await Self.workspace(visit)) }
    console.post("workspaces/:name") { visit in try await Self.save(visit) }
    MembershipPages().add(to: console)
    console.get("workspaces/:name/profile") { visit in
      let name = visit.parameter("name")
      let profile = visit.query["profile"]
      let confirmation = Confirmation(
        "Take the profile", ["WORKSPACE.SET", name, "profile", profile], to: Address("workspaces", name, "profile"),
        hidden: [("profile", profile)], cancel: Address("workspaces", name),
        undo: "Every policy can be set back by hand; the trail has what it was.")
      return .page(
        Page("Take the profile \(profile)?", area: Self.address, try await confirmation.blocks(visit)))
    }
    console.post("workspaces/:name/profile") { visit in
      let reply = try await visit.write("WORKSPACE.SET", visit.parameter("name"), "profile", visit.form["profile"])
      return .redirect(
        Address("workspaces", visit.parameter("name")),
        await visit.done(reply, "The policies are those of the profile."))
    }
  }

  private static func list(_ visit: Visit) async throws -> Page {
    let workspaces = try await visit.read("WORKSPACE.LIST").elements ?? []
    let table = Table(
      caption: "Workspaces", columns: [.init("Workspace"), .init("Plan"), .init("Subdomain"), .init("Since")],
      rows: workspaces.map { one in
        let name = one["name"]?.string ?? ""
        return Table.Row([
          [.link(name, Address("workspaces", name))], [.value(one["plan"])], [.value(one["subdomain"])],
          [.time(one["created"]?.integer)],
        ])
      })
    var blocks = [table.block]
    if await visit.holdsEverywhere("workspace.create") {
      let form = Form(
        Address("workspaces", "new"), layout: .row,
        fields: [
          Field("name", "Name", required: true),
          Field("profile", "Profile", .choice([.init("", "None")] + profiles.map { .init($0) })),
        ], submit: "Add")
      blocks.append(
        .section("Add a workspace", note: "A customer organisation with its own products and policies.", [form.block]))
    }
    return Page("Workspaces and policies", area: address, blocks)
  }

  // MARK: One workspace

  private static func settings(_ reply: RESPValue) -> [(name: String, value: String)] {
    (reply.pairs ?? []).compactMap { pair in
      guard let name = pair.key.string, name == "plan" || name == "subdomain" || name.hasPrefix("policy.") else {
        return nil
      }
      return (name, pair.value.string ?? "")
    }
  }

  static func workspace(_ visit: Visit, _ failure: CommandFailure? = nil) async throws -> Page {
    let name = visit.parameter("name")
    let reply = try await visit.read("WORKSPACE.GET", name)
    let facts = Block.facts([
      ("Owner", [.value(reply["owner"])]), ("Since", [.time(reply["created"]?.integer)]),
      (
        "People",
        [
          .link(
            "Its members",
            Address("people").adding([("everywhere", "1"), ("field", "workspace"), ("op", "="), ("value", name)]))
        ]
      ),
    ])
    var blocks: [Block] = [.section("The workspace", [facts])]
    blocks += await MembershipPages.sections(visit, name, owner: reply.shown("owner"))
    let settings = settings(reply)
    guard await visit.verdict("WORKSPACE.SET", name, "plan", reply["plan"]?.string ?? "free").isAllowed else {
      let rows = settings.map { Table.Row([[.code($0.name)], [.text($0.value)]]) }
      blocks.append(
        .section(
          "Policies", [Table(caption: "Policies", columns: [.init("Policy"), .init("Value")], rows: rows).block]))
      return Page("Workspace \(name)", area: address, failure: failure, blocks)
    }
    let form = Form(
      Address("workspaces", name), layout: .grid,
      fields: settings.map { field($0.name, visit.form.has($0.name) ? visit.form[$0.name] : $0.value) } + [
        Field("reason", "Reason", hint: "Recorded in the trail.")
      ],
      submit: "Save what changed")
    blocks.append(.section("Plan and policies", [form.block]))
    let profile = Form(
      Address("workspaces", name, "profile"), .get, layout: .row,
      fields: [Field("profile", "Profile", .choice(profiles.map { .init($0) }))], submit: "See what it would change")
    blocks.append(
      .section("Take a profile", note: "The policies of one of the systems that Gatehouse follows.", [profile.block]))
    return Page("Workspace \(name)", area: address, failure: failure, blocks)
  }

  /// A setting with what it means and takes.
  private static func field(_ name: String, _ value: String) -> Field {
    guard name.hasPrefix("policy."),
      let policy = Policies.all.first(where: { $0.name == name.dropFirst("policy.".count) })
    else { return Field(name, name, value: value) }
    let meaning = policy.summary.prefix(1).uppercased() + policy.summary.dropFirst() + "."
    switch policy.standard {
    case .flag: return Field(name, policy.name, .choice([.init("on"), .init("off")]), value: value, hint: meaning)
    case .choice:
      return Field(name, policy.name, .choice(policy.choices.map { .init($0) }), value: value, hint: meaning)
    case .span:
      return Field(
        name, policy.name, value: shown(milliseconds: value),
        hint: "\(meaning) A duration such as 15m or 30d; 0 for none.")
    default:
      return Field(name, policy.name, value: value, hint: "\(meaning) Takes \(Policies.expectation(for: policy)).")
    }
  }

  /// A duration as people write it: `12h` for `43200000`.
  private static func shown(milliseconds text: String) -> String {
    guard let milliseconds = Int64(text), milliseconds > 0 else { return text }
    let units: [(String, Int64)] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)]
    let unit = units.first { milliseconds % $0.1 == 0 }
    return unit.map { "\(milliseconds / $0.1)\($0.0)" } ?? text
  }

  /// Sets what differs, all or none.
  private static func save(_ visit: Visit) async throws -> Outcome {
    let name = visit.parameter("name")
    let now = settings(try await visit.read("WORKSPACE.GET", name))
    let changed = now.filter { setting in
      visit.form.has(setting.name) && visit.form[setting.name] != field(setting.name, setting.value).value
    }
    let there = Address("workspaces", name)
    guard !changed.isEmpty else { return .redirect(there, Flash("Nothing was different.", tone: .accent)) }
    let command = ["WORKSPACE.SET", name] + changed.flatMap { [$0.name, visit.form[$0.name]] }
    let loss = LossPage(
      title: "Change the settings of \(name)?", submit: "Save what changed", command: command, action: there,
      fields: changed.map { ($0.name, visit.form[$0.name]) }, cancel: there, area: address)
    if let page = try await loss.page(visit) { return .page(page) }
    let reply: RESPValue
    do {
      reply = try await visit.write(command)
    } catch let failure as CommandFailure where !failure.isPassing {
      return .page(try await workspace(visit, failure))
    }
    return .redirect(there, await visit.done(reply, "\(changed.count) settings changed."))
  }
}
