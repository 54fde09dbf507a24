import ArgumentParser
import GatehouseCore
import GatehouseStorage
import GatehouseWire

/// `gatehousectl encryption`: the keys of a data folder.
struct Encryption: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Encrypt a data folder, change its keys, and see what is encrypted.",
    discussion: """
      The operator's master key encrypts the folder's key ring, and the data keys in
      the ring encrypt the files. Keep the master key elsewhere than the folder and
      its backups: without it nothing can be read, and nobody can help.
      """,
    subcommands: [EncryptionStatus.self, EncryptionEnable.self, EncryptionDisable.self, EncryptionRotate.self])
}

/// `gatehousectl encryption status`: what is encrypted. It needs no key.
struct EncryptionStatus: OperatorCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Tell which files are encrypted with which key, and what is still in clear.",
    discussion: """
      EXAMPLES:
        gatehousectl encryption status ./data
        gatehousectl encryption status --json ./data

      Works beside a server, and without the key.

      \(ExitStatus.help)
      """)

  @OptionGroup var output: OutputOptions

  @ArgumentParser.Argument(help: ArgumentHelp("the data folder", valueName: "folder"))
  var folder: String

  func perform() throws {
    let data = try DataFolder.look(at: folder)
    let survey = try EncryptionSurvey(data)
    let ring = try data.ringFacts()
    Console.result(lines: output.json ? json(ring, survey) + "\n" : text(ring, survey))
  }

  private func text(_ ring: RingFacts?, _ survey: EncryptionSurvey) -> String {
    var lines: [String] = []
    if let ring {
      lines.append(ring.current == 0 ? "encryption is off" : "new files are encrypted with data key \(ring.current)")
      lines.append(ring.needsNoKey ? "no master key is needed: everything was decrypted" : "master key: \(ring.master)")
    } else {
      lines.append("the folder is not encrypted")
    }
    for (key, bytes) in survey.bytesByKey.sorted(by: { $0.key < $1.key }) {
      lines.append("\(key == 0 ? "in clear" : "data key \(key)"): \(Figures.bytes(bytes))")
    }
    for file in survey.files {
      let keys = file.keys.sorted().map { $0 == 0 ? "in clear" : "data key \($0)" }.joined(separator: ", ")
      lines.append(
        "  \(ShownText.line(file.name)): \(file.problem.map { ShownText.line($0) } ?? (keys.isEmpty ? "empty" : keys))")
    }
    return lines.map { $0 + "\n" }.joined()
  }

  private func json(_ ring: RingFacts?, _ survey: EncryptionSurvey) -> String {
    var object = JSONObject()
    object.add("encrypted", (ring?.current ?? 0) != 0)
    object.add("master", ring?.master)
    object.add("data-key", UInt64(ring?.current ?? 0))
    object.add("bytes-in-clear", survey.bytesByKey[0] ?? 0)
    object.add(
      "files",
      survey.files.map { file in
        var one = JSONObject()
        one.add("name", file.name)
        one.add("bytes", file.bytes)
        one.add("keys", file.keys.sorted().map { .integer(Int64($0)) })
        one.add("problem", file.problem)
        return one.value
      })
    return object.line
  }
}

/// `gatehousectl encryption enable`.
struct EncryptionEnable: OperatorCommand {
  static let configuration = CommandConfiguration(
    commandName: "enable",
    abstract: "Encrypt what is written to a folder from now on; a server that is given a key does it by itself.",
    discussion: """
      EXAMPLES:
        openssl rand -hex 32 > /etc/gatehouse/key; chmod 400 /etc/gatehouse/key
        gatehousectl encryption enable ./data --encryption-key-file /etc/gatehouse/key
        gatehousectl encryption enable ./data --rewrite --encryption-key-file …

      No server may be using the folder; a running one takes ENCRYPTION ON. With
      --rewrite what was written before is encrypted too; else it is as the log is
      compacted, and archives stay as they are.

      \(ExitStatus.help)
      """)

  @OptionGroup var output: OutputOptions

  @OptionGroup(title: "Encryption") var encryption: KeyOptions

  @Flag(help: "also encrypt what was written before")
  var rewrite = false

  @ArgumentParser.Argument(help: ArgumentHelp("the data folder", valueName: "folder"))
  var folder: String

  func perform() throws {
    guard let key = try encryption.key() else { throw ValidationError("a key is needed: \(EncryptionError.howToGive)") }
    let data = try DataFolder.open(folder, key: key)
    defer { data.close() }
    if rewrite { try data.requireOwnLog() }
    if data.cipher.currentNumber == 0 { try data.turnEncryptionOn(under: key) }
    try data.show(output, rewrites: rewrite)
  }
}

/// `gatehousectl encryption disable`.
struct EncryptionDisable: OperatorCommand {
  static let configuration = CommandConfiguration(
    commandName: "disable",
    abstract: "Leave what is written to a folder from now on in clear.",
    discussion: """
      EXAMPLES:
        gatehousectl encryption disable ./data --encryption-key-file /etc/gatehouse/key
        gatehousectl encryption disable ./data --rewrite --encryption-key-file …

      No server may be using the folder; a running one takes ENCRYPTION OFF. What is
      encrypted stays so, and the key is needed as before, unless --rewrite is given:
      then everything is decrypted, and no key is needed any more. Backups that were
      made before still need it.

      \(ExitStatus.help)
      """)

  @OptionGroup var output: OutputOptions

  @OptionGroup(title: "Encryption") var encryption: KeyOptions

  @Flag(help: "also decrypt what was written before")
  var rewrite = false

  @ArgumentParser.Argument(help: ArgumentHelp("the data folder", valueName: "folder"))
  var folder: String

  func perform() throws {
    let data = try DataFolder.open(folder, key: try encryption.key())
    defer { data.close() }
    if rewrite { try data.requireOwnLog() }
    guard data.cipher.hasRing else {
      Console.message("gatehousectl: the folder is not encrypted")
      throw ExitCode(ExitStatus.problems)
    }
    if data.cipher.currentNumber != 0 { try data.turnEncryptionOff() }
    try data.show(output, rewrites: rewrite)
    if rewrite, !data.cipher.isReleased {
      Console.message(
        "gatehousectl: some files are still encrypted, and the key is needed as before: see `encryption status`")
      throw ExitCode(ExitStatus.problems)
    }
  }
}

/// `gatehousectl encryption rotate`.
struct EncryptionRotate: OperatorCommand {
  static let configuration = CommandConfiguration(
    commandName: "rotate",
    abstract: "Begin a new data key, and put the keys of a folder under a new master key.",
    discussion: """
      EXAMPLES:
        mv new-key /etc/gatehouse/key; gatehousectl encryption rotate --port 7420
        gatehousectl encryption rotate --data ./data \\
            --encryption-key-file old-key --new-key-file new-key
        gatehousectl encryption rotate --port 7420 --rewrite

      A server reads its master key again from where its settings say: put the new
      one there first, and keep the old one until the rotation is done, and for as
      long as backups are kept that were made before. What was written before stays
      readable. With --rewrite it is encrypted anew, and the old data keys are
      forgotten once nothing needs them.

      To authenticate with a server, set GATEHOUSE_AUTH=name:secret.

      \(ExitStatus.help)
      """)

  @OptionGroup var output: OutputOptions

  @OptionGroup(title: "Encryption") var encryption: KeyOptions

  @OptionGroup(title: "New key") var newKey: NewKeyOptions

  @Option(help: ArgumentHelp("the data folder, which no server may be using", valueName: "folder"))
  var data: String?

  @OptionGroup var server: ServerOptions

  @Flag(help: "also encrypt anew what was written before")
  var rewrite = false

  func validate() throws {
    if data != nil, server.host != nil || server.port != nil {
      throw ValidationError("give either --data or --host and --port")
    }
    if data == nil, newKey.isGiven {
      throw ValidationError(
        "--new-key-file and --new-key-command need --data; a server reads its key from its settings")
    }
  }

  func perform() throws {
    guard let data else { return try askServer() }
    let folder = try DataFolder.open(data, key: try encryption.key())
    defer { folder.close() }
    if rewrite { try folder.requireOwnLog() }
    guard folder.cipher.hasRing else {
      Console.message("gatehousectl: the folder is not encrypted: `gatehousectl encryption enable` begins it")
      throw ExitCode(ExitStatus.problems)
    }
    try folder.rotateKeys(to: try newKey.key())
    try folder.show(output, rewrites: rewrite)
  }

  private func askServer() throws {
    let meter = output.meter()
    let client = try server.connect()[0]
    meter.begin("waiting for the server")
    let reply = try client.command(["ENCRYPTION", "ROTATE"] + (rewrite ? ["REWRITE"] : []))
    meter.end()
    if let error = reply.errorText {
      Console.message("gatehousectl: the server refused: \(error)")
      throw ExitCode(ExitStatus.problems)
    }
    if output.json { return Console.result(reply.json()) }
    for pair in reply.pairs ?? [] {
      Console.result(ShownText.line("\(pair.key.string ?? pair.key.json()): \(pair.value.string ?? pair.value.json())"))
    }
  }
}

extension DataFolder {
  /// Rewrites what was written before, if wanted, and shows the keys.
  fileprivate func show(_ output: OutputOptions, rewrites: Bool) throws {
    for warning in warnings { Console.message("gatehousectl: warning: \(warning)") }
    var damage: [String] = []
    var retired: [UInt32] = []
    var left: [String] = []
    if rewrites {
      Interruption.watch()
      let meter = output.meter()
      var options = CompactionOptions(now: now())
      options.dictionaries = knownDictionaries()
      options.rewritesArchives = true
      let report = try OfflineCompaction.run(self, options: options) { step in
        try Interruption.check()
        meter.show(step)
      }
      meter.end()
      damage = report.compaction.damage
      retired = report.retired
      if cipher.currentNumber == 0 { _ = try releaseMasterKey() }
      left = try EncryptionSurvey(self).leftBehind(cipher.currentNumber)
    }
    try recordKeyChange(clock: Milliseconds(now()))
    if output.json {
      var object = JSONObject()
      object.add("master", cipher.masterID)
      object.add("data-key", UInt64(cipher.currentNumber))
      object.add("retired", retired.map { .integer(Int64($0)) })
      Console.result(object.line)
    } else {
      Console.result("master: \(cipher.isReleased ? "none: no key is needed" : cipher.masterID ?? "none")")
      Console.result(
        "data-key: \(cipher.currentNumber == 0 ? "none: what is written is in clear" : "\(cipher.currentNumber)")")
      if !retired.isEmpty { Console.result("retired: \(retired.map { "\($0)" }.joined(separator: ", "))") }
    }
    guard damage.isEmpty, left.isEmpty else {
      for text in damage { Console.message("gatehousectl: damage: \(text)") }
      for file in left { Console.message("gatehousectl: not rewritten: \(ShownText.line(file))") }
      throw ExitCode(ExitStatus.problems)
    }
  }
}
