import ArgumentParser
import GatehouseCore
import GatehouseStorage
import GatehouseWire

/// `gatehousectl verify`: reads a whole data folder and reports everything that is wrong with it.
struct Verify: OperatorCommand {
  static let configuration = CommandConfiguration(
    abstract: "Read a whole data folder and tell everything that is wrong with it.",
    discussion: """
      EXAMPLES:
        gatehousectl verify ./data
        gatehousectl verify --json /backup/monday

      Follows the chain of hashes through archive and log, reads all snapshots,
      decodes every record, restores the state and checks its rules.
      Changes nothing, and works beside a running server.

      A folder that was replaced as a whole by an older copy is sound, and so is one
      whose past somebody has rebuilt. To notice that, keep the 'head' of an earlier
      check elsewhere, or the answer of AUDIT.HEAD, and pass it later:
        gatehousectl verify --against LSN:HASH ./data

      \(ExitStatus.help)
      """)

  @OptionGroup var output: OutputOptions

  @OptionGroup(title: "Encryption") var encryption: KeyOptions

  @Flag(help: "also count the changes of each kind")
  var changes = false

  @Option(help: ArgumentHelp("also check the folder against a head that was noted earlier", valueName: "lsn:hash"))
  var against: LogHead?

  @ArgumentParser.Argument(help: ArgumentHelp("the data folder", valueName: "folder"))
  var folder: String

  func perform() throws {
    let meter = output.meter()
    let data = try DataFolder.look(at: folder, key: encryption.key())
    var (files, state) = try verify(data, meter)
    // A running server may replace all snapshots between the check of their bytes and that of their content.
    for _ in 0..<Self.attempts
    where !data.cipher.isLocked && state.figures == nil && files.problems.isEmpty && state.problems.isEmpty {
      (files, state) = try verify(data, meter)
    }
    meter.end()
    let outcome = VerificationOutcome(
      path: data.path, files: files, state: state, masterID: data.cipher.isLocked ? data.cipher.masterID : nil)
    Console.result(lines: output.json ? outcome.json + "\n" : outcome.text(Palette(isOn: Console.usesColour)))
    if !outcome.problems.isEmpty { throw ExitCode(ExitStatus.problems) }
  }

  private static let attempts = 3

  private func verify(
    _ data: DataFolder, _ meter: ProgressMeter
  ) throws -> (Verification.Report, StateVerification.Report) {
    let dictionaries = knownDictionaries()
    meter.begin("reading files", .records)
    let files = try Verification.run(data, dictionaries: dictionaries, against: against) { meter.advance(by: $0) }
    let total = files.lastLSN >= files.firstLSN ? files.lastLSN - files.firstLSN + 1 : 0
    meter.begin("decoding records", of: total, .records)
    let state = try StateVerification.run(data, after: files, dictionaries: dictionaries, countsChanges: changes) {
      meter.advance(by: $0)
    }
    meter.set(state.records)
    return (files, state)
  }
}

extension LogHead: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument.lowercased()) }
}

/// The result of a verification, as text and as JSON.
struct VerificationOutcome {
  let path: String
  let files: Verification.Report
  let state: StateVerification.Report
  /// The id of the key that would be needed to look at the content; nil if it was looked at.
  let masterID: String?

  var problems: [Verification.Problem] { files.problems + state.problems }

  func text(_ palette: Palette) -> String {
    var lines = problems.map { "\(palette.bad("problem")) \(ShownText.line($0.description))" }
    func add(_ name: String, _ value: String) {
      lines.append("\(palette.faint(name + String(repeating: " ", count: max(1, 14 - name.count))))\(value)")
    }
    let records = files.lastLSN >= files.firstLSN ? "\(files.firstLSN) to \(files.lastLSN)" : "none"
    add("records", records)
    add("segments", "\(files.segments)")
    add("snapshots", files.snapshots.map { "\($0.lsn)" }.joined(separator: ", ").orNone)
    add(
      "archives",
      files.archives.map { "\($0.records.lowerBound)-\($0.records.upperBound)" }.joined(separator: ", ").orNone)
    if let head = files.head { add("head", "\(head)") }
    if files.tornBytes > 0 {
      add("unfinished", "\(Figures.bytes(files.tornBytes)) behind the last frame, which the next start cuts off")
    }
    for (name, value) in state.figures?.named ?? [] { add(name, "\(value)") }
    for (kind, count) in state.changes.sorted(by: { $0.key < $1.key }) { add(kind, "\(count)") }
    for holders in state.namesakes {
      let users = holders.map { "\(ShownText.value($0.name)) (#\($0.user.raw))" }.joined(separator: ", ")
      lines.append(
        "\(palette.faint("one name      "))\(users): each is found by this spelling or #id; rename all but one")
    }
    if let skipped = state.skipped {
      add("skipped", "a part of \(skipped), which a newer version has written: only its gatehousectl checks that")
    }
    if let masterID {
      add("content", "not looked at: it is encrypted under the key \(masterID), which was not given")
    }
    let path = ShownText.line(path)
    let verdict =
      problems.isEmpty
      ? palette.good("\(path) is sound") : palette.bad("\(path) has \(Figures.count(problems.count, "problem"))")
    return (lines + [verdict]).map { $0 + "\n" }.joined()
  }

  var json: String {
    var object = JSONObject()
    object.add("folder", path)
    object.add("ok", problems.isEmpty)
    object.add("problems", problems.map(\.json))
    object.add("first", files.firstLSN)
    object.add("last", files.lastLSN)
    object.add("head", files.head.map { "\($0)" })
    object.add("segments", files.segments)
    object.add("unfinished", files.tornBytes)
    object.add("locked", masterID)
    object.add("snapshots", files.snapshots.map { .integer(Int64(clamping: $0.lsn)) })
    object.add(
      "archives",
      files.archives.map { info in
        var archive = JSONObject()
        archive.add("first", info.records.lowerBound)
        archive.add("last", info.records.upperBound)
        archive.add("bytes", info.fileBytes)
        return archive.value
      })
    object.add("records", state.records)
    if let figures = state.figures {
      var named = JSONObject()
      for (name, value) in figures.named { named.add(name, value) }
      object.add("state", named.value)
    } else {
      object.add("state", RESPValue.null)
    }
    object.add(
      "namesakes",
      state.namesakes.map { holders in
        .array(
          holders.map { holder in
            var user = JSONObject()
            user.add("id", holder.user.raw)
            user.add("username", holder.name)
            return user.value
          })
      })
    if let skipped = state.skipped { object.add("skipped", "\(skipped)") }
    if !state.changes.isEmpty {
      var kinds = JSONObject()
      for (kind, count) in state.changes.sorted(by: { $0.key < $1.key }) { kinds.add(kind, count) }
      object.add("changes", kinds.value)
    }
    return object.line
  }
}

extension Verification.Problem {
  var json: RESPValue {
    var object = JSONObject()
    object.add("file", file)
    object.add("offset", offset)
    object.add("lsn", lsn)
    object.add("problem", text)
    return object.value
  }
}

extension String {
  fileprivate var orNone: String { isEmpty ? "none" : self }
}
