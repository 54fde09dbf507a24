import GatehouseCore
import GatehouseWire
import HTTPTypes

/// Adding the people of a file: each row is tried first, who would be refused is told with line and column, and then all are
/// added, or none, in one record.
struct ImportPages {
  private static let address = Address("people", "import")

  func add(to console: ConsoleRouter) {
    console.get("people/import") { visit in .page(page()) }
    console.post("people/import") { visit in .page(try await trial(visit)) }
    console.post("people/import/report") { visit in
      let file = try await file(visit)
      let rows = try await faults(file, visit).map { [String($0.line), $0.username, $0.column, $0.why] }
      return .file(
        name: "refused.csv", type: "text/csv; charset=utf-8",
        text: CSV.text([["line", "username", "column", "why"]] + rows))
    }
    console.post("people/import/apply") { visit in
      let file = try await file(visit)
      guard file.faults.isEmpty else { throw CommandFailure("ERR rows of the file cannot be read; send it again") }
      let reply = try await visit.write(command(file.rows, visit))
      return .redirect(PeoplePages.address, await visit.done(reply, "\(file.rows.count) people were added."))
    }
  }

  /// Whether the person may add people; offered beside the form for one.
  static func button() -> Button { .link("Add from a file", address) }

  // MARK: The file

  private func page() -> Page {
    var form = Form(
      Self.address,
      fields: [
        Field("file", "CSV file", .file, hint: "In UTF-8, with the names of the columns in its first line."),
        Field("csv", "Or its text", .longText),
        Field("invite", "Send everybody an invitation by mail", .checkbox(isOn: false)),
      ], submit: "See what would be added", cancel: PeoplePages.address)
    form.isUpload = true
    return Page(
      "Add people from a file", area: PeoplePages.address,
      [
        .section(
          "The file",
          note: "Nothing is added before you have seen what would be. At most \(PeopleFile.mostRows) people.",
          [
            .text(
              .text("Columns are "), .code("username"), .text(", "), .code("first"), .text(", "), .code("last"),
              .text(", "), .code("email"), .text(", "), .code("department"), .text(", "), .code("products"),
              .text(", "),
              .code("licences"), .text(" ("), .code("product:type"), .text("), "), .code("roles"),
              .text(" and the others that the export has, with the same marks; usual other names of them do as well.")),
            form.block,
          ])
      ])
  }

  private func file(_ visit: Visit) async throws -> PeopleFile {
    let text = visit.form.raw("csv").nonEmpty ?? visit.form.raw("file")
    guard !text.isEmpty else { throw CommandFailure("ERR no file was chosen; choose one", field: "file") }
    let definitions = try await visit.readIfAllowed("FIELD.LIST", "WORKSPACE", visit.workspace)?.elements ?? []
    return try PeopleFile(text, fields: definitions.map { $0.shown("name") })
  }

  private func command(_ rows: [PeopleFile.Row], _ visit: Visit) -> [String] {
    PeopleFile.command(rows, workspace: visit.workspace, invites: visit.form["invite"] == "1")
  }

  // MARK: The trial

  /// Tries every row by itself, so that all who would be refused are told at once.
  private func faults(_ file: PeopleFile, _ visit: Visit) async throws -> [PeopleFile.Fault] {
    var faults = file.faults
    for (index, row) in file.rows.enumerated() {
      if let failure = await visit.refusal(of: command([file.alone(row)], visit) + ["REASON", "trial"]) {
        if failure.isPassing { throw failure }
        faults.append(file.fault(row, failure.withoutRow))
      }
      if index % 20 == 19 { await Task.yield() }
    }
    return faults.sorted { $0.line < $1.line }
  }

  private func trial(_ visit: Visit) async throws -> Page {
    let file = try await file(visit)
    let faults = try await faults(file, visit)
    guard faults.isEmpty else { return refused(faults, of: file, visit) }
    // And all together: two of one name, or more than there are seats.
    let reply = try await visit.tryOut(command(file.rows, visit) + ["REASON", "trial"])
    let rows = file.rows.prefix(20).map { row -> Table.Row in
      .init([
        [.number(Int64(row.line))], [.strong(row.username)],
        [
          .text(
            row.cells.filter { $0.column != .username }.map { "\($0.column.name) \($0.text)" }.joined(separator: ", "))
        ],
      ])
    }
    let more = file.rows.count - rows.count
    let table = Table(caption: "People", columns: [.init("Line"), .init("Username"), .init("With")], rows: Array(rows))
    var form = Form(
      Address("people", "import", "apply"), fields: [Field("reason", "Reason", hint: "Recorded in the trail.")],
      hidden: hidden(visit), submit: "Add \(file.rows.count) people", cancel: Self.address)
    form.isUpload = true
    return Page(
      "Add \(file.rows.count) people?", area: PeoplePages.address,
      intro: [.text("To the workspace "), .strong(visit.workspace), .text(".")],
      [
        .section(
          "Who would be added", [table.block] + (more > 0 ? [.text(.muted("… and \(more) more."))] : []))
      ] + Trial(reply).summary + [.section("Go ahead?", note: "All are added, or none.", [form.block])])
  }

  private func hidden(_ visit: Visit) -> [(name: String, value: String)] {
    [("csv", visit.form.raw("csv").nonEmpty ?? visit.form.raw("file")), ("invite", visit.form["invite"])]
  }

  private func refused(_ faults: [PeopleFile.Fault], of file: PeopleFile, _ visit: Visit) -> Page {
    let rows = faults.prefix(200).map { fault -> Table.Row in
      .init([
        [.number(Int64(fault.line))], [.strong(fault.username)], [.text(fault.column)],
        [.text(fault.why)],
      ])
    }
    let table = Table(
      caption: "Refused rows", columns: [.init("Line"), .init("Username"), .init("Column"), .init("Why")],
      rows: Array(rows))
    var report = Form(
      Address("people", "import", "report"), hidden: hidden(visit), submit: "All of them as CSV", cancel: Self.address,
      cancelText: "Choose another file")
    report.isUpload = true
    let total = file.rows.count + file.faults.count
    return Page(
      "Nobody was added", area: PeoplePages.address, status: .conflict,
      [
        .notice(
          .bad, "\(faults.count) of \(total) rows would be refused",
          [.text("All are added, or none: mend the file, and send it again.")]),
        .section("Refused rows", [table.block, report.block]),
      ])
  }
}

extension CommandFailure {
  /// Without the `row 1: ` of a command that has one row.
  fileprivate var withoutRow: CommandFailure {
    let row = "row 1: "
    return detailAsItIs.hasPrefix(row) ? CommandFailure(code + " " + String(detailAsItIs.dropFirst(row.count))) : self
  }
}
