import ArgumentParser
import GatehouseCore
import GatehouseWire

/// `gatehousectl import`: makes users, or contacts, of the rows of a file.
struct Import: OperatorCommand {
  static let configuration = CommandConfiguration(
    abstract: "Create users, or contacts, from a file, through a running server.",
    discussion: """
      EXAMPLES:
        gatehousectl import people.csv --dry-run
        gatehousectl import people.csv --workspace acme --product payroll
        gatehousectl import hr.csv --map "Given name=first" --ignore Salary
        gatehousectl import people.csv --update --report refused.csv
        gatehousectl import contacts.jsonl --contacts

      The first line of CSV names the columns. They are, by these and by usual
      other names: username, name (split by the workspace's rule) or first,
      middle, last, email, phone, department, timezone, schedule, leave, hired,
      released, language, status, initials, reference, division, authority,
      restrict-bookings, account (the main one, over which a manager then
      holds), employments, products, licences (product:type), roles, manages, and
      the fields that the workspace has defined, and password, which a new user
      must change at the first login unless the workspace says otherwise, or
      password-hash: that of the password which the user has in another system
      (Argon2, bcrypt, scrypt, yescrypt, PBKDF2, sha256-crypt or sha512-crypt).
      That of a user who is there is not changed; PASSWORD.SET and PASSWORD.IMPORT
      do. Passwords take the server's cores for some tens of milliseconds each,
      while checking and again while writing; delete the file afterwards. Only
      username is needed. Days are written as 2026-03-01. An empty cell says
      nothing. In CSV an apostrophe before = + - @ or a tab is taken away, as
      export put it there.

      A cell of several values separates them by ; or | and, where they have no
      blanks, by commas or blanks too. JSON lines may have a list. Marks behind a
      value say more:
        employments  Widgets@2024-02-01..2026-12-31   days; an end may be open
                     Widgets@main      the main one; else account, else the first
        products     payroll@admin     an administrator of it
                     payroll@2026-03-01..2026-12-31   from when and until when
                     payroll@off       disabled; keeps a licence
        roles        manager@account:Widgets, @group:North, @product:payroll,
                     @workspace, @everywhere, and @from..until; without one in the
                     workspace, a manager over the account of the row
        manages      user:bo;account:Widgets;group:North   whom one looks after
      Text in double quotes is taken as it is: "Smith; Sons"@2024-02-01..

      Every row is checked first, by the server and against the others. If one is
      refused nothing is written, unless you say --keep-going. A user comes with
      all that the row says, or not at all; only the links to other users are made
      after all rows, so that they may come later in the file. A user who is there
      and has everything that the row says is passed over, and gets the links to
      users that are missing, so an interrupted import can be run again; contacts
      are not made twice within a day.

      To authenticate, set GATEHOUSE_AUTH=name:secret; the service needs ADMIN.

      \(ExitStatus.help)
      """)

  @OptionGroup var output: OutputOptions
  @OptionGroup var server: ServerOptions
  @OptionGroup var table: TableOptions

  @Option(help: ArgumentHelp("the workspace of the people", valueName: "name"))
  var workspace = "main"

  @Option(help: ArgumentHelp("a product of rows that name none; repeats", valueName: "name"))
  var product: [String] = []

  @Option(help: ArgumentHelp("a role of rows that name none; repeats", valueName: "name"))
  var role: [String] = []

  @Option(help: ArgumentHelp("read a column as another: \"Given name=first\"; repeats", valueName: "name=column"))
  var map: [ColumnMapping] = []

  @Option(help: ArgumentHelp("a column that is not read; repeats", valueName: "name"))
  var ignore: [String] = []

  @Option(
    help:
      "\(TextEncoding.allCases.map(\.rawValue).joined(separator: ", ")) (default: by the byte order mark, else utf-8)")
  var encoding: TextEncoding?

  @Flag(help: "make contacts without a login")
  var contacts = false

  @Flag(help: "set the fields and the status of users who are there")
  var update = false

  @Flag(help: "only check, and tell what would be done")
  var dryRun = false

  @Flag(help: "write the good rows although others are refused")
  var keepGoing = false

  @Flag(help: "queue an invitation to every new user")
  var invite = false

  @Flag(help: "accept the bill where the workspace asks for it")
  var acceptBilling = false

  @Option(help: ArgumentHelp("why, for the audit trail", valueName: "text"))
  var reason: String?

  @Option(help: ArgumentHelp("also write the refused rows to a new CSV file", valueName: "file"))
  var report: String?

  @Option(help: ArgumentHelp("how many connections share the work", valueName: "n"))
  var connections = 4

  @ArgumentParser.Argument(help: ArgumentHelp("the file; - is standard input, with --keep-going", valueName: "file"))
  var file: String

  func validate() throws {
    guard (1...64).contains(connections) else { throw ValidationError("--connections must be 1 to 64") }
    if file == "-", !keepGoing, !dryRun {
      throw ValidationError("standard input can be read only once: say --keep-going, or name a file")
    }
    if contacts, update || invite || !product.isEmpty || !role.isEmpty {
      throw ValidationError("--contacts makes no logins: leave --update, --invite, --product and --role out")
    }
  }

  func perform() throws {
    let meter = output.meter()
    if !keepGoing, !dryRun, !InputFile.canBeReadTwice(file) {
      throw ValidationError("a pipe can be read only once: say --keep-going, or name a file")
    }
    let report = try ImportReport(path: report, isJSON: output.json, meter)
    let settings = settings
    let options = PersonRows.Options(
      format: table.format(of: file), encoding: encoding, delimiter: table.delimiter?.byte)
    let run: ImportRun
    do {
      run = try ImportRun(settings, try server.connect(connections), report, meter) { facts in
        try PersonRows(file, options, try names(settings.columns, facts))
      }
    } catch {
      report.discard()
      throw error
    }
    do {
      try run.run()
    } catch {
      try report.end()
      if run.isWritten {
        let written = run.summary.created + run.summary.updated
        Console.message(
          "gatehousectl: at least \(Figures.count(written, "row")) written before this; run it again for the others")
      }
      throw error
    }
    try report.end()
    Console.result(
      output.json
        ? run.summary.json(isWritten: run.isWritten) : run.summary.text(settings, isWritten: run.isWritten))
    if run.isStopped {
      Console.message("gatehousectl: the import stopped at this refusal; run it again for the others")
    }
    if run.summary.hasRefused { throw ExitCode(ExitStatus.problems) }
  }

  private var settings: ImportSettings {
    var settings = ImportSettings()
    settings.workspace = workspace
    settings.products = product
    settings.roles = role
    settings.makesContacts = contacts
    settings.updates = update
    settings.keepsGoing = keepGoing
    settings.isDryRun = dryRun
    settings.invites = invite
    settings.acceptsBilling = acceptBilling
    settings.reason = reason
    return settings
  }

  private func names(_ columns: [PersonColumn], _ facts: WorkspaceFacts) throws -> ColumnNames {
    var names = ColumnNames(columns, fields: facts.fields, ignored: ignore)
    names.remedy = "--map column=field says what a column is, --ignore column leaves it out"
    for mapping in map where !names.map(mapping.name, to: mapping.column) {
      throw HeaderFault(
        faults: ["--map '\(mapping.name)=\(mapping.column)': unknown column '\(mapping.column)'"],
        known: names.known.map(\.name))
    }
    return names
  }
}

/// `Given name=first`.
struct ColumnMapping: ExpressibleByArgument {
  let name: String
  let column: String

  init?(argument: String) {
    guard let sign = argument.lastIndex(of: "="), sign != argument.startIndex else { return nil }
    name = String(argument[..<sign])
    column = String(argument[argument.index(after: sign)...])
    if column.isEmpty { return nil }
  }
}
