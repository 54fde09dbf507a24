import GatehouseCore
import GatehouseServer
import GatehouseWire
import HTTPTypes
import Hummingbird

/// One request of somebody who is signed in: what it asks, and how to ask the server on their authority. Commands run
/// `AS` their session, so that they can do here exactly what they may.
final class Visit {
  let person: SignedIn
  let query: FormFields
  let form: FormFields
  /// Whether the request sends a form.
  var isForm: Bool { request.method == .post }
  /// The address that was asked for, with its query.
  let target: String
  /// The workspace that is looked at.
  let workspace: String
  /// What was done just before.
  let flash: Flash?
  /// Whether an impersonation has ended since the page before.
  var hasLeft = false
  /// Whether a form was made for another workspace than the one that is looked at now.
  var isElsewhere = false
  private let door: CommandDoor
  private let caller: Caller
  private let request: Request
  private let context: WebContext
  /// What the footer shows.
  private(set) var commands: [String] = []
  /// Those of them that changed something, for the next page.
  private(set) var changes: [String] = []
  private var heldPermissions: [(permission: String, scope: String)]?

  init(
    _ door: CommandDoor, _ request: Request, _ context: WebContext, _ person: SignedIn, query: FormFields,
    form: FormFields, workspace: String, flash: Flash?
  ) {
    self.door = door
    self.request = request
    self.context = context
    self.person = person
    self.query = query
    self.form = form
    target = request.uri.string
    self.workspace = workspace
    self.flash = flash
    caller = door.server(context.connection).acting(as: person.token)
  }

  /// A part of the path, such as `user` of `people/:user`.
  func parameter(_ name: String) -> String { context.parameters.get(name)?.percentDecoded() ?? "" }

  /// The server's time, in milliseconds since 1970.
  var now: Int64 { door.now }

  var consoleProduct: String { door.configuration.consoleProduct }

  // MARK: Commands

  /// What a page shows. The footer lists the command.
  ///
  /// - Throws: `CommandFailure`, which becomes a page that says what to do.
  func read(_ words: [String]) async throws -> RESPValue {
    note(words)
    return try await answer(words)
  }

  func read(_ words: String...) async throws -> RESPValue { try await read(words) }

  /// One of many of a kind, which the footer leaves out.
  func readQuietly(_ words: [String]) async throws -> RESPValue { try await answer(words) }

  /// For a part of a page that some may not see: nil where the person may not, or it is not there.
  func readIfAllowed(_ words: String...) async throws -> RESPValue? { try await readIfAllowed(words) }

  func readIfAllowed(_ words: [String]) async throws -> RESPValue? {
    do {
      let reply = try await answer(words)
      note(words)
      return reply
    } catch let failure as CommandFailure where ["NOPERM", "NOTFOUND"].contains(failure.code) {
      return nil
    }
  }

  /// Changes something. The form's `reason` goes along, and its key: sent again, the form is carried out once.
  func write(_ words: [String]) async throws -> RESPValue {
    var words = words
    if !form["reason"].isEmpty { words += ["REASON", form["reason"]] }
    note(words)
    changes.append(line(words))
    let key = form["idem"]
    if !key.isEmpty, key.utf8.count <= 64, Self.takingKeys.contains(words[0]) {
      words += ["IDEM", key + "-" + FormToken.digest(words)]
    }
    return try await answer(words)
  }

  func write(_ words: String...) async throws -> RESPValue { try await write(words) }

  /// The same command as a trial, which says what would change, who would lose a login, and what of the seats.
  func tryOut(_ words: [String]) async throws -> RESPValue {
    note(words + ["DRYRUN"])
    return try await answer(words + ["DRYRUN"])
  }

  /// Whether the server would carry out a command, for the button that does. Not in the footer.
  func verdict(_ words: [String]) async -> Verdict { await trial(words).verdict }

  /// The verdict, and what the trial says.
  func trial(_ words: [String]) async -> (verdict: Verdict, reply: RESPValue) {
    let reply = await door.execute(words + ["DRYRUN"], for: caller)
    guard let failure = reply.errorText.map({ CommandFailure($0) }) else { return (.allowed, reply) }
    let isForbidden = ["NOPERM", "NOTFOUND", "NOAUTH"].contains(failure.code)
    return (isForbidden ? .forbidden : .refused(failure), reply)
  }

  func verdict(_ words: String...) async -> Verdict { await verdict(words) }

  /// Why the server would refuse a command; nil if it would not. Not in the footer.
  func refusal(of words: [String]) async -> CommandFailure? {
    await door.execute(words + ["DRYRUN"], for: caller).errorText.map { CommandFailure($0) }
  }

  /// Carries out commands as one, all or none, in one record.
  ///
  /// - Throws: `CommandFailure` of the one that is refused.
  func write(together commands: [[String]]) async throws -> [RESPValue] {
    let reason = form["reason"].isEmpty ? [] : ["REASON", form["reason"]]
    let commands = commands.map { $0 + reason }
    for words in commands {
      note(words)
      changes.append(line(words))
    }
    switch await door.execute(together: commands, for: caller) {
    case .success(let replies): return replies
    case .failure(let refused): throw CommandFailure(refused.text, field: refused.field)
    }
  }

  /// Whether the person may run a command at all, for the link to a form: tried with words that the form will have others
  /// for. Only who asks, and the rules about that, count; what is wrong with the words is for the form to say.
  func mayBegin(_ words: [String], besides rules: Set<String> = []) async -> Verdict {
    let verdict = await verdict(words)
    guard case .refused(let failure) = verdict else { return verdict }
    return failure.code == "REFUSED" && !rules.contains(failure.rule ?? "") ? verdict : .allowed
  }

  /// Where the request comes from, as options of commands.
  var origin: [String] { Origin.words(request, context, door.configuration) }

  /// A command on the person's own authority, also while they act as somebody else.
  func asOneself(_ words: [String]) async throws -> RESPValue {
    note(words)
    return try await door.answer(words, for: door.server(context.connection).acting(as: person.ownToken)).orFailure()
  }

  /// For commands that only the server itself may run about the person's own sessions, such as `IMPERSONATE.START`.
  func asServer(_ words: [String]) async throws -> RESPValue {
    note(words)
    return try await door.answer(words, for: door.server(context.connection)).orFailure()
  }

  private func answer(_ words: [String]) async throws -> RESPValue {
    try await door.answer(words, for: caller).orFailure()
  }

  /// The commands that take a key. Those with passwords do not: the log would keep a digest of them.
  private static let takingKeys = Set(
    CommandTable.all.filter { spec in spec.arguments.contains { $0.token == "IDEM" } }.map(\.name))

  private func note(_ words: [String]) {
    let line = line(words)
    if !commands.contains(line) { commands.append(line) }
  }

  private func line(_ words: [String]) -> String {
    "gatehouse cli " + door.shown(words).map(Self.quoted).joined(separator: " ")
  }

  private static func quoted(_ word: String) -> String {
    let isPlain =
      !word.isEmpty
      && word.utf8.allSatisfy { byte in
        byte < 128 && (Character(Unicode.Scalar(byte)).isLetter || Character(Unicode.Scalar(byte)).isNumber)
          || "@%_+=:,./-".utf8.contains(byte)
      }
    return isPlain ? word : "'" + word.replacing(byte: "'", with: #"'\''"#) + "'"
  }

  // MARK: Rights

  /// What the person may do, and where, as `PERMISSION.LIST` says.
  func permissions() async -> [(permission: String, scope: String)] {
    if let heldPermissions { return heldPermissions }
    let reply = await door.execute(["PERMISSION.LIST", "#\(person.user)"], for: caller)
    let held = (reply.elements ?? []).compactMap { item -> (permission: String, scope: String)? in
      guard let permission = item["permission"]?.string, let scope = item["scope"]?.string else { return nil }
      return (permission, scope)
    }
    heldPermissions = held
    return held
  }

  /// Whether the person holds a permission over the whole server.
  func holdsEverywhere(_ permission: String) async -> Bool {
    await permissions().contains { $0.permission == permission && $0.scope == "everywhere" }
  }

  /// Whether the person holds a permission over a whole workspace.
  func holds(_ permission: String, overAllOf workspace: String) async -> Bool {
    await permissions().contains {
      $0.permission == permission && ($0.scope == "everywhere" || $0.scope == "workspace " + workspace)
    }
  }

  /// Whether the person holds a permission over somebody.
  func holds(_ permission: String, over other: Person) async -> Bool {
    let words = ["PERMISSION.CHECK", "#\(person.user)", permission, "OVER", other.word]
    return await door.execute(words, for: caller).elements?.first?.flag("allowed") ?? false
  }

  /// Whether the person holds a permission anywhere but over themselves. For a button about somebody or something, ask
  /// `verdict`.
  func holds(_ permission: String) async -> Bool {
    await permissions().contains { $0.permission == permission && $0.scope != "oneself" }
  }

  // MARK: Cookies

  private(set) var cookies: [String] = []

  func cookie(_ cookie: ConsoleCookie) -> String? { cookie.value(in: request, context.cookies) }

  /// Changes a cookie with the answer; nil takes it away. Without `seconds` it is kept until the browser is closed.
  func set(_ cookie: ConsoleCookie, _ value: String?, seconds: Int? = nil) {
    cookies.append(cookie.field(value, context.cookies, seconds: seconds))
  }

  // MARK: What was done

  /// The number of the person's newest record of a command, for *Undo*; nil if they may not read the trail.
  func lastRecord(of command: String) async -> Int64? {
    let reply = await door.execute(
      ["AUDIT.LIST", "ACTOR", person.actor ?? "#\(person.user)", "COUNT", "10"], for: caller)
    let records = reply.elements?.last?.elements ?? []
    return records.first { $0["command"]?.string == command }?["lsn"]?.integer
  }
}
