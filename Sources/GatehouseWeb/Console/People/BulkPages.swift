import GatehouseWire

/// Changing several people: a trial, who is refused by which rule, a report, and only then the change.
struct BulkPages {
  func add(to console: ConsoleRouter) {
    console.post("people/bulk") { visit in
      let change = try BulkChange(visit)
      do {
        let trial = try await visit.tryOut(change.command + ["REASON", "trial"])
        return .page(page(change, change.ids, Trial(trial).blocks))
      } catch let failure as CommandFailure where failure.code != "ERR" && failure.code != "LIMIT" {
        return .page(try await partly(visit, change, failure))
      }
    }
    console.post("people/bulk/apply") { visit in
      let change = try BulkChange(visit)
      let reply = try await visit.write(change.command)
      let count = reply["changed"]?.integer ?? 0
      let text = "\(count) of \(reply["users"]?.integer ?? 0) people were changed: \(change.field) is \(change.value)."
      return .redirect(PeoplePages.address, await visit.done(reply, text, undo: "USER.BULK"))
    }
    console.post("people/bulk/report") { visit in
      let change = try BulkChange(visit)
      let rows = try await change.results(visit).map { result in
        [result.id, result.username, change.field, change.value, result.text.result, result.text.rule, result.text.why]
      }
      let head = ["id", "username", "field", "value", "result", "rule", "why"]
      return .file(name: "bulk-\(change.field).csv", type: "text/csv; charset=utf-8", text: CSV.text([head] + rows))
    }
  }

  private func page(_ change: BulkChange, _ ids: [String], _ blocks: [Block]) -> Page {
    let form = Form(
      Address("people", "bulk", "apply"),
      fields: [Field("reason", "Reason", hint: "Recorded in the trail.", required: true)],
      hidden: change.hidden(ids), submit: "Change them", isDangerous: true, cancel: PeoplePages.address)
    return Page(
      "Set \(change.field) to \(change.value.isEmpty ? "nothing" : change.value)", area: PeoplePages.address,
      blocks + [
        .section("Go ahead?", note: "It can be taken back for as long as the policy undo.window says.", [form.block]),
        report(change, ids),
      ])
  }

  private func report(_ change: BulkChange, _ ids: [String]) -> Block {
    .buttons([.post("Report of everybody as CSV", Address("people", "bulk", "report"), change.hidden(ids))])
  }

  /// Somebody is refused, and so nobody would be changed: who, by which rule, and the others.
  private func partly(_ visit: Visit, _ change: BulkChange, _ failure: CommandFailure) async throws -> Page {
    let results = try await change.results(visit)
    let refused = results.filter { !$0.verdict.isAllowed }
    let others = results.filter { $0.verdict.isAllowed && $0.changes }.map(\.id)
    let rows = refused.prefix(200).map { result in
      Table.Row([
        [.link(result.username, Address("people", result.id))], [.code(result.text.rule)], [.text(result.text.why)],
      ])
    }
    let table = Table(
      caption: "Refused", columns: [.init("Person"), .init("Rule"), .init("Why")], rows: Array(rows),
      empty: failure.block)
    let blocks: [Block] = [
      .section(
        "\(refused.count) of \(results.count) would be refused", note: "All are changed, or none.", [table.block])
    ]
    guard !others.isEmpty else {
      return Page("Nobody can be changed", area: PeoplePages.address, blocks + [report(change, change.ids)])
    }
    return page(
      change, others,
      blocks + [.text(.text("You can change the other "), .number(Int64(others.count)), .text(" without them."))])
  }
}
