import ArgumentParser
import GatehouseCore
import GatehouseStorage

/// `gatehousectl inspect`: shows the records of a data folder in readable form.
struct Inspect: OperatorCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show the records or the frames of a data folder.",
    discussion: """
      EXAMPLES:
        gatehousectl inspect ./data --from 48000
        gatehousectl inspect ./data --user ana --since 2026-03-01T00:00:00Z
        gatehousectl inspect ./data --json | jq 'select(.command == "USER.DELETE")'
        gatehousectl inspect ./data --frames

      Reads archive and log in the order in which they were written, beside a
      running server too. Secrets are not shown: the log has none in clear.
      --user shows what happened to the user and to its contact, as AUDIT.LIST does.

      \(ExitStatus.help)
      """)

  @OptionGroup(title: "Encryption") var encryption: KeyOptions

  @Option(help: ArgumentHelp("the first record", valueName: "lsn"))
  var from: UInt64?

  @Option(help: ArgumentHelp("the last record", valueName: "lsn"))
  var through: UInt64?

  @Option(help: ArgumentHelp("only records about this user", valueName: "#id|name"))
  var user: String?

  @Option(help: ArgumentHelp("only records of this time or later (RFC 3339)", valueName: "time"))
  var since: Time?

  @Option(help: ArgumentHelp("only records of this time or earlier (RFC 3339)", valueName: "time"))
  var until: Time?

  @Flag(help: "show the log's frames and not the records in them")
  var frames = false

  @Flag(help: "show users, products and workspaces by name: restores the state first")
  var names = false

  @Flag(help: "show one JSON object a line")
  var json = false

  @ArgumentParser.Argument(help: ArgumentHelp("the data folder", valueName: "folder"))
  var folder: String

  func validate() throws {
    if frames, user != nil || since != nil || until != nil || names {
      throw ValidationError("--frames goes with --from and --through only: a frame has records of several users")
    }
    if let from, let through, from > through { throw ValidationError("--from is after --through") }
    if let since, let until, since.milliseconds > until.milliseconds {
      throw ValidationError("--since is after --until")
    }
  }

  func perform() throws {
    let data = try DataFolder.look(at: folder, key: encryption.key())
    // Frames are told of without reading them; records are not, and those in clear may have sealed parts.
    if !frames, data.cipher.isLocked, let master = data.cipher.masterID {
      throw FolderError.encryption(path: folder, .keyNeeded(master: master))
    }
    let history = History(data, dictionaries: knownDictionaries(), keys: RecordIndex.keys(of: data))
    let last = try history.lastLSN()
    guard let first = try history.firstLSN(), first <= last else { return say("there are no records") }
    guard let wanted = range(in: first...last) else { return }
    var output = LineBuffer()
    defer { output.flush() }
    var count = 0
    if frames {
      let text = FrameText(isJSON: json)
      return try history.forEachFrame(wanted) { frame in
        output.add(text.line(of: frame))
        return true
      }
    }
    let state = try restoredState(data)
    var query = History.Query(wanted)
    if let user { query.keys = try keys(about: userID(user, state), data, state, history, first...last) }
    if since != nil || until != nil { query.times = (since?.milliseconds ?? 0)...(until?.milliseconds ?? .max) }
    let text = RecordLines(isJSON: json, state: names ? state : nil, seals: data.keys)
    try history.forEach(query) { lsn, bytes in
      output.add(try text.lines(of: bytes, lsn))
      count += 1
      return true
    }
    try tellOfTimes(history, first...last, count: count)
  }

  /// The requested records among those kept. Says which of those requested do not exist.
  private func range(in kept: ClosedRange<UInt64>) -> ClosedRange<UInt64>? {
    if let from, from > kept.upperBound { say("there is no record \(from): the last one is \(kept.upperBound)") }
    if let through, through > kept.upperBound { say("the last record is \(kept.upperBound)") }
    let isAskedBefore = from.map { $0 > 0 && $0 < kept.lowerBound } ?? false
    if isAskedBefore || through.map({ $0 < kept.lowerBound }) ?? false {
      say("the first record that is kept is \(kept.lowerBound)")
    }
    let first = max(from ?? 0, kept.lowerBound)
    let last = min(through ?? .max, kept.upperBound)
    return first <= last ? first...last : nil
  }

  /// Says so if no record was found, or if some of the times asked for are before the first record kept.
  private func tellOfTimes(_ history: History, _ kept: ClosedRange<UInt64>, count: Int) throws {
    guard count == 0 || since != nil else { return }
    func time(_ lsn: UInt64) throws -> UInt64? {
      var found: UInt64?
      try history.forEach(History.Query(lsn...lsn)) { _, bytes in
        var keys: [UInt64] = []
        found = RecordIndex.times(bytes, &keys)
        return false
      }
      return found
    }
    let first = try time(kept.lowerBound)
    if let since, let first, kept.lowerBound > 1, since.milliseconds < first {
      say("the first record that is kept is \(kept.lowerBound), of \(Figures.time(first))")
    }
    guard count == 0 else { return }
    let last = try time(kept.upperBound)
    let span = first.flatMap { first in last.map { " of \(Figures.time(first)) to \(Figures.time($0))" } } ?? ""
    say("nothing found; kept: \(Figures.records(kept))\(span)")
  }

  private func say(_ text: String) { Console.message("gatehousectl: \(text)") }

  /// The state, if names are needed: to find a user by name, or to show names.
  private func restoredState(_ data: DataFolder) throws -> Restoration? {
    guard names || user.map({ Self.number($0) == nil }) ?? false else { return nil }
    return try Restoration.look(at: data, dictionaries: knownDictionaries())
  }

  private func userID(_ word: String, _ state: Restoration?) throws -> UserID {
    if let number = Self.number(word) { return UserID(raw: number) }
    guard let id = state?.user(named: word) else {
      throw ValidationError("there is no user \(ShownText.line(word)); one who was deleted or renamed is found by #id")
    }
    return id
  }

  /// The index keys of the records about a user, including those about its contact, as in `AUDIT.LIST`.
  private func keys(
    about user: UserID, _ data: DataFolder, _ state: Restoration?, _ history: History, _ kept: ClosedRange<UInt64>
  ) throws -> [UInt64] {
    // A damaged folder may have records although its state cannot be restored.
    if let state = state ?? (try? Restoration.look(at: data, dictionaries: knownDictionaries())) {
      return RecordKey.about(user, contact: state.contact(of: user))
    }
    var contact: ContactID?
    try history.forEach(History.Query(kept, about: [RecordKey.of(user)])) { _, bytes in
      var reader = ByteReader(bytes)
      let created = try Record(from: &reader, data.keys).changes(of: UserCreated.self)
      contact = created.first { $0.user == user }?.contact
      return contact == nil
    }
    return RecordKey.about(user, contact: contact)
  }

  private static func number(_ word: String) -> UInt64? { word.hasPrefix("#") ? UInt64(word.dropFirst()) : nil }
}

/// A point in time on the command line.
struct Time: ExpressibleByArgument {
  let milliseconds: UInt64

  init?(argument: String) {
    guard let time = TimeText.time(argument) else { return nil }
    milliseconds = UInt64(time)
  }
}

/// Buffers output, so that many lines become one write.
struct LineBuffer {
  private var text = ""

  private static let limit = 64 << 10

  mutating func add(_ lines: String) {
    text += lines
    if text.utf8.count >= Self.limit { flush() }
  }

  mutating func flush() {
    if !text.isEmpty { Console.result(lines: text) }
    text = ""
  }
}
