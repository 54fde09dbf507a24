import GatehouseWire

/// Changing several people: a trial, who is refused by which rule, a report, and only then the change.
struct BulkPages {
  func add(to console: ConsoleRouter) {
    console.post("people/bulk") { visit in
      let change = try BulkChange(visit)
      do {
        return .page(await page(visit, change, change.ids, try await trials(visit, change)))
      } catch let failure as CommandFailure where failure.code != "ERR" && failure.code != "LIMIT" {
        return .page(try await partly(visit, change, failure))
      }
    }
    console.post("people/bulk/apply") { visit in try await apply(visit) }
    console.post("people/bulk/report") { visit in
      let change = try BulkChange(visit)
      let results = try await change.results(visit)
      var rows = results.map { result in
        [result.id, result.username, change.field, change.value, result.text.result, result.text.rule, result.text.why]
      }
      let left = try await change.left(of: results.count, visit)
      if left > 0 {
        rows.append(["", "", change.field, change.value, "left out", "", "\(left) more match than a report holds"])
      }
      let head = ["id", "username", "field", "value", "result", "rule", "why"]
      return .file(name: "bulk-\(change.field).csv", type: "text/csv; charset=utf-8", text: CSV.text([head] + rows))
    }
  }

  /// What each of the commands would change.
  private func trials(_ visit: Visit, _ change: BulkChange) async throws -> [Block] {
    let commands = try await change.commands(visit)
    var blocks: [Block] = []
    if commands.count > 1 {
      blocks.append(
        .notice(
          .warn, "This is done in \(commands.count) parts",
          [
            .text(
              "A command changes at most \(BulkChange.most) people. Of each part all are changed or none, and each can "
            ),
            .text("be taken back by itself."),
          ]))
    }
    for command in commands { blocks += Trial(try await visit.tryOut(command + ["REASON", "trial"])).blocks }
    return blocks
  }

  private func apply(_ visit: Visit) async throws -> Outcome {
    let change = try BulkChange(visit)
    let commands = try await change.commands(visit)
    var (changed, people) = (Int64(0), Int64(0))
    var last = RESPValue.null
    for (index, command) in commands.enumerated() {
      do {
        last = try await visit.write(command)
      } catch let failure as CommandFailure where index > 0 && !failure.isPassing {
        let text =
          "\(changed) people were changed, and then it ended: part \(index + 1) of \(commands.count) was refused."
        return .redirect(change.list, Flash("\(text) \(failure.detail)", tone: .bad))
      }
      changed += last["changed"]?.integer ?? 0
      people += last["users"]?.integer ?? 0
    }
    let text = "\(changed) of \(people) people were changed: \(change.field) is \(change.value)."
    let parts =
      commands.count > 1
      ? " In \(commands.count) parts; Undo takes back the last one, and the trail has the others." : ""
    // Where nothing was changed, there is nothing to take back.
    return .redirect(change.list, await visit.done(last, text + parts, undo: changed > 0 ? "USER.BULK" : nil))
  }

  private func page(_ visit: Visit, _ change: BulkChange, _ ids: [String], _ blocks: [Block]) async -> Page {
    let form = Form(
      Address("people", "bulk", "apply"),
      fields: [Field("reason", "Reason", hint: "Recorded in the trail.", required: true)],
      hidden: change.hidden(ids), submit: "Change them", isDangerous: true, cancel: change.list)
    return Page(
      "Set \(change.field) to \(change.value.isEmpty ? "nothing" : change.value)", area: PeoplePages.address,
      blocks + [
        .section("Go ahead?", [.text(await UndoNote.window.cells(visit, home: nil)), form.block]),
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
        "\(refused.count) of \(results.count) would be refused",
        note: results.count > BulkChange.most
          ? "Of each part of \(BulkChange.most) people all are changed, or none." : "All are changed, or none.",
        [table.block])
    ]
    guard !others.isEmpty else {
      return Page(
        "Nobody can be changed", area: PeoplePages.address,
        blocks + [.buttons([.link("Back to the list", change.list)]), report(change, change.ids)])
    }
    return await page(
      visit, change, others,
      blocks + [.text(.text("You can change the other "), .number(Int64(others.count)), .text(" without them."))])
  }
}
