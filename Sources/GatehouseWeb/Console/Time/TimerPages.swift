import GatehouseCore
import GatehouseWire
import HTTPTypes

/// The timers that run, longest first: stopped and corrected in place.
struct TimerPages: ConsolePages {
  static let address = Address("timers")

  var areas: [Area] { [Area("Running timers", .login, Self.address, needs: ["time.read"])] }

  func add(to console: ConsoleRouter) {
    console.get("timers") { visit in .page(try await Self.page(visit)) }
    console.get("timers/:user/stop") { visit in .page(try await Self.stopping(visit)) }
    console.post("timers/:user/stop") { visit in try await Self.stop(visit) }
  }

  // MARK: The list

  private static let lengths = [("", "All"), ("8h", "Over 8 hours"), ("24h", "Over a day"), ("7d", "Over a week")]

  private static func page(_ visit: Visit) async throws -> Page {
    let longer = visit.query["longer"]
    var words = ["TIMER.RUNNING", "WORKSPACE", visit.workspace, "COUNT", "50"]
    if !longer.isEmpty { words += ["LONGER", longer] }
    if let cursor = visit.query["cursor"].nonEmpty { words += ["CURSOR", cursor] }
    let reply = try await visit.read(words)
    let cursor = reply.elements?.first?.string ?? "0"
    let here = address.adding("longer", longer.nonEmpty)
    var rows: [Table.Row] = []
    for timer in reply.elements?.last?.elements ?? [] { rows.append(await row(timer, visit)) }
    var table = Table(
      caption: "Running timers",
      columns: [
        .init("Person"), .init("Running for", isNumeric: true), .init("Since"), .init("Project"), .init("Note"),
        .init("Started by"),
      ],
      rows: rows)
    table.next = cursor == "0" ? nil : here.adding("cursor", cursor)
    table.first = visit.query["cursor"].isEmpty ? nil : here
    table.empty = .empty(
      longer.isEmpty ? "No timer runs" : "No timer runs that long",
      "Nobody in \(visit.workspace) has left a timer running.")
    let tabs = Block.links(
      "Length", lengths.map { ($0.1, address.adding("longer", $0.0.nonEmpty), $0.0 == longer) })
    return Page(
      "Running timers", area: address, intro: [.text("Of people in \(visit.workspace), longest first.")],
      [tabs, table.block])
  }

  private static func row(_ timer: RESPValue, _ visit: Visit) async -> Table.Row {
    let now = visit.now
    let (user, start) = (timer["user"]?.integer ?? 0, timer["start"]?.integer ?? now)
    let workspace = timer["workspace"]?.string ?? visit.workspace
    let verdict = await visit.verdict("TIMER.STOP", "#\(user)", "WORKSPACE", workspace)
    let stop = Button.link("Stop", Address("timers", String(user), "stop").adding("workspace", workspace))
    let name = timer["username"]?.string ?? "#\(user)"
    let isForgotten = now - start > 24 * 3_600_000
    let running = Cell.durationText(now - start)
    return Table.Row(
      [
        [.link(name, Address("people", String(user)))], [isForgotten ? .badge(running, .warn) : .text(running)],
        [.time(start)], [.value(timer["project"])], [.value(timer["note"])], [.value(timer["started-by"])],
      ],
      buttons: [Button.asked(verdict, stop, "Stop")].compactMap { $0 })
  }

  // MARK: Stopping one

  private static func command(_ visit: Visit, _ fields: FormFields) -> [String] {
    let workspace = fields["workspace"].nonEmpty ?? visit.workspace
    return ["TIMER.STOP", "#" + visit.parameter("user"), "WORKSPACE", workspace]
  }

  /// Asks when it is to end: now, or when the person really stopped.
  private static func stopping(
    _ visit: Visit, error: String? = nil, status: HTTPResponse.Status = .ok
  ) async throws -> Page {
    let fields = error == nil ? visit.query : visit.form
    let workspace = fields["workspace"].nonEmpty ?? visit.workspace
    let user = visit.parameter("user")
    let timer = try await visit.read("TIMER.CURRENT", "#" + user, "WORKSPACE", workspace)
    guard !timer.isNull else {
      return Page(
        "Stop a timer", area: address, status: .notFound,
        [.empty("No timer runs", "It was stopped meanwhile.", [.link("Running timers", address)])])
    }
    let name = timer["username"]?.string ?? "#\(user)"
    let start = timer["start"]?.integer ?? 0
    let form = Form(
      Address("timers", user, "stop"),
      fields: [
        Field(
          "at", "Ended at", .moment, value: Moment.field(Moment.time(fields["at"])),
          hint: "Empty for now. It is not before the start.", error: error),
        Field("reason", "Reason", value: fields["reason"], hint: "Recorded in the trail."),
      ], hidden: [("workspace", workspace)], submit: "Stop the timer", cancel: await back(visit))
    let facts = Block.facts([
      ("Person", [.link(name, Address("people", user))]), ("Started", [.time(start)]),
      ("Running for", [.duration(visit.now - start)]), ("Project", [.value(timer["project"])]),
      ("Note", [.value(timer["note"])]),
    ])
    let stop: Block
    switch await visit.verdict(command(visit, fields)) {
    case .allowed: stop = form.block
    case .refused(let failure): stop = failure.block
    case .forbidden: stop = CommandFailure("NOPERM you may not stop this timer").block
    }
    return Page(
      "Stop the timer of \(name)", area: address, status: status,
      [.section("The timer", [facts]), .section("Stop it", [stop])])
  }

  /// Where the person came from: the list, or the page of the one whose timer it is.
  private static func back(_ visit: Visit) async -> Address {
    await visit.holds("time.read") ? address : Address("people", visit.parameter("user")).at("time")
  }

  private static func stop(_ visit: Visit) async throws -> Outcome {
    var words = command(visit, visit.form)
    let at = visit.form["at"]
    if !at.isEmpty {
      guard let time = Moment.time(at) else {
        return .page(
          try await stopping(
            visit, error: "This time is not understood. Write it as 2026-11-30 17:30, in UTC.", status: .badRequest))
      }
      words += ["AT", TimeText.text(of: time)]
    }
    let entry: RESPValue
    do {
      entry = try await visit.write(words)
    } catch let failure as CommandFailure where !at.isEmpty && !failure.isPassing {
      return .page(try await stopping(visit, error: failure.detail, status: failure.status))
    }
    let length = (entry["end"]?.integer ?? 0) - (entry["start"]?.integer ?? 0)
    let name = entry["username"]?.string ?? ""
    let done = await visit.done(entry, "\(name)'s timer is an entry of \(Cell.durationText(length)) now.")
    guard let id = entry["entry"]?.integer, await visit.verdict(EntryPages.trial(entry)).isAllowed else {
      return .redirect(await back(visit), done)
    }
    return .redirect(EntryPages.address(of: id), done)
  }
}
