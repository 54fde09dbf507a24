import Foundation
import GatehouseCore
import GatehouseStorage
import GatehouseWire

/// Reads a file of people once or twice: to check every row, and to write them. The management links between them follow,
/// when all users are there.
///
/// The check asks the server about each row with `DRYRUN`, and compares the rows with each other. So an import without
/// `--keep-going` writes nothing if a row would be refused. Between the check and the write others may change the server;
/// then the import stops at the first refusal. It can be run again at any time: a user who is there and has everything
/// that the row says is passed over. Contacts have no name to be found by, and are protected from being made twice by
/// `IDEM` keys, which hold for a day.
final class ImportRun {
  private enum Pass {
    case check
    case write
  }

  private let settings: ImportSettings
  private let open: (_ facts: WorkspaceFacts) throws -> PersonRows
  private let lanes: [RowLane]
  private let facts: WorkspaceFacts
  private let requests: PersonRequests
  private let report: ImportReport
  private let meter: ProgressMeter
  private let links: LinkPass
  private var checks: FileChecks
  /// How often each content of a contact's row was seen.
  private var contents: [Hash128: UInt32] = [:]
  /// The lines of the users who are there with all that their rows say, as the check found.
  private var settled = LineSet()
  private var pass = Pass.check
  private(set) var summary = ImportSummary()

  /// Whether `summary` tells what was written, and not what would be.
  var isWritten: Bool { pass == .write }

  init(
    _ settings: ImportSettings, _ clients: [BlockingClient], _ report: ImportReport, _ meter: ProgressMeter,
    open: @escaping (_ facts: WorkspaceFacts) throws -> PersonRows
  ) throws {
    self.settings = settings
    self.report = report
    self.meter = meter
    self.open = open
    lanes = clients.map(RowLane.init)
    facts = try WorkspaceFacts(settings.workspace, clients[0])
    requests = PersonRequests(settings: settings, nameFormat: facts.nameFormat)
    checks = FileChecks(hasUniqueReferences: facts.hasUniqueReferences)
    links = LinkPass(settings, clients[0])
  }

  func run() throws {
    if settings.keepsGoing, !settings.isDryRun {
      try read(try open(facts), .write)
      return try makeLinks()
    }
    let file = try open(facts)
    try read(file, .check)
    try checkLinks()
    guard !settings.isDryRun, summary.refused == 0 else { return }
    let rows = summary.rows
    checks = FileChecks(hasUniqueReferences: facts.hasUniqueReferences)
    contents = [:]
    links.removeAll()
    summary = ImportSummary()
    let again = try open(facts)
    guard again.identity == file.identity else { throw FileChanged() }
    try read(again, .write, of: rows)
    try makeLinks()
  }

  // MARK: Links between users

  private func checkLinks() throws {
    let missing = try links.check(isInFile: { checks.hasUser($0) }) { entry, fault in
      summary.count(entry.outcome, -1)
      try refuse(entry.row, fault)
    }
    // Of a file with rows that are refused, those of others to them would be counted.
    if summary.refused == 0 { summary.links += missing }
  }

  private func makeLinks() throws {
    guard !isStopped else { return }
    let made = try links.make { entry, fault in
      summary.refusedLinks += 1
      try report.refuse(line: entry.row.line, username: entry.row.username, fault)
      return settings.keepsGoing
    }
    summary.links += made
  }

  // MARK: A pass over the file

  /// - Parameter rows: how many there are, if known.
  private func read(_ rows: PersonRows, _ pass: Pass, of count: Int? = nil) throws {
    self.pass = pass
    var file = rows
    meter.begin(
      pass == .check ? "checking" : "writing", of: UInt64(count ?? file.identity.size), count == nil ? .bytes : .records
    )
    var current = 0
    while !isStopped, let (line, found) = try file.next() {
      summary.rows += 1
      meter.set(count == nil ? file.position : UInt64(summary.rows))
      add(line, found, to: lanes[current])
      guard lanes[current].isFull else { continue }
      try lanes[current].send()
      current = (current + 1) % lanes.count
      try collect(lanes[current])
    }
    // The oldest first, so that refusals are told in the order of the file.
    for offset in 1...lanes.count {
      let lane = lanes[(current + offset) % lanes.count]
      try lane.send()
      try collect(lane)
    }
    meter.end()
  }

  private func add(_ line: Int, _ found: Result<PersonRow, RowFault>, to lane: RowLane) {
    if pass == .write, settled.contains(line) {
      if let row = try? found.get() { accept(row, .unchanged) }
      return
    }
    let row = (try? found.get()) ?? PersonRow(line: line)
    lane.add(
      RowLane.Entry(
        row: row,
        request: Result { () throws(RowFault) in
          let row = try found.get()
          if let fault = checks.fault(of: row) { throw fault }
          return try request(row)
        }))
  }

  private func request(_ row: PersonRow) throws(RowFault) -> RequestBuilder {
    try requests.create(row, isDryRun: pass == .check) { hash in
      contents[hash, default: 0] += 1
      return contents[hash] ?? 0
    }
  }

  /// Whether a refusal has ended the writing. What is under way is still read.
  var isStopped: Bool { pass == .write && !settings.keepsGoing && summary.hasRefused }

  private func refuse(_ row: PersonRow, _ fault: RowFault) throws {
    summary.refused += 1
    try report.refuse(line: row.line, username: row.username, fault)
  }

  // MARK: Answers

  private func collect(_ lane: RowLane) throws {
    var busy = try answers(lane)
    while !busy.isEmpty {
      // More waits for the disk than the server allows.
      usleep(50_000)
      for entry in busy { lane.add(entry) }
      try lane.send()
      busy = try answers(lane)
    }
  }

  /// Reads the answers to all that a lane has sent, and returns the rows that the server was too busy for.
  private func answers(_ lane: RowLane) throws -> [RowLane.Entry] {
    var busy: [RowLane.Entry] = []
    var taken: [TakenName] = []
    var seated: [(row: PersonRow, seats: RESPValue)] = []
    try lane.collect { entry, answer in
      let row = entry.row
      let reply: EncodedReply
      do throws(RowFault) { reply = try answer.get() } catch { return try refuse(row, error) }
      guard reply.isError else {
        if pass == .check, let seats = try SeatsMoved.find(in: reply) {
          seated.append((row, seats))
        } else {
          accept(row, .created)
        }
        return
      }
      let text = try reply.decoded().errorText ?? ""
      if let name = TakenName(row, refusal: text) {
        taken.append(name)
      } else if text.hasPrefix("BUSY") {
        busy.append(entry)
      } else if ServerTrouble.isMeant(by: text) {
        throw ServerTrouble(text: text)
      } else {
        try refuse(row, RowFault(column: ServerRefusal.column(of: text, in: row), reason: text))
      }
    }
    for (row, seats) in seated { try seat(row, seats, lane) }
    if !taken.isEmpty { try settle(taken, lane) }
    return busy
  }

  private func accept(_ row: PersonRow, _ outcome: RowOutcome) {
    summary.count(outcome, 1)
    links.add(row, outcome)
  }

  private func seat(_ row: PersonRow, _ seats: RESPValue, _ lane: RowLane) throws {
    let fault = try checks.takeSeats(seats) { product in try lane.client.command("POOL.LIST", product) }
    guard let fault else { return accept(row, .created) }
    let header = row.cells.first { $0.source.column.name == fault.column }?.source.header
    try refuse(row, RowFault(column: header, reason: fault.reason))
  }

  /// Decides about rows whose users are there.
  private func settle(_ taken: [TakenName], _ lane: RowLane) throws {
    let questions = taken.map { requests.questions(about: $0) }
    for question in questions { for words in question.all { lane.client.send(words) } }
    var changed: [PersonRow] = []
    var sets: [[String]] = []
    for (name, question) in zip(taken, questions) {
      let shown = try question.answers { try lane.client.reply() }
      let user: ExistingUser
      do throws(RowFault) {
        user = try ExistingUser(name.row, requests, shown)
      } catch {
        try refuse(name.row, error)
        continue
      }
      if user.isSame {
        accept(name.row, .unchanged)
        if pass == .check { settled.insert(name.row.line) }
      } else if settings.updates, user.others.isEmpty, user.refusal == nil {
        changed.append(name.row)
        if pass == .write, let set = requests.set(name.row, user: name.user, isDryRun: false) { sets.append(set) }
      } else {
        try refuse(name.row, user.fault(name, isUpdate: settings.updates))
      }
    }
    for set in sets { lane.client.send(set) }
    for row in changed {
      if pass == .write, let error = try lane.client.reply().errorText {
        try refuse(row, RowFault(column: ServerRefusal.column(of: error, in: row), reason: error))
      } else {
        accept(row, .updated)
      }
    }
  }
}

/// Lines of a file, a bit each.
private struct LineSet {
  private var words: [UInt64] = []

  func contains(_ line: Int) -> Bool { line >> 6 < words.count && words[line >> 6] & 1 << UInt64(line & 63) != 0 }

  mutating func insert(_ line: Int) {
    if line >> 6 >= words.count { words += [UInt64](repeating: 0, count: max(words.count, (line >> 6) + 1)) }
    words[line >> 6] |= 1 << UInt64(line & 63)
  }
}

/// The file is no longer the one that was checked.
struct FileChanged: Error, CustomStringConvertible {
  var description: String { "the file changed while it was checked; nothing was written" }
}
