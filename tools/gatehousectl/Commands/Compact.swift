import ArgumentParser
import GatehouseCommandLine
import GatehouseCore
import GatehouseStorage
import GatehouseWire

/// `gatehousectl compact`: moves the older log into the archive, through a server or without one.
struct Compact: OperatorCommand {
  static let configuration = CommandConfiguration(
    abstract: "Take a snapshot and move what it covers from the log into the archive.",
    discussion: """
      EXAMPLES:
        gatehousectl compact --port 7420               ask the server to do it
        gatehousectl compact --data ./data             without a server
        gatehousectl compact --data ./data --dry-run   what would be done; works
                                                       beside a server too
        gatehousectl compact --data ./data --retention 365d

      Nothing is lost: the archive keeps every record, compressed harder. Records
      are deleted only with --retention, a whole archive at a time, once all of its
      records are older. A server uses its own setting archive-retention.
      Whole segments are moved; the newest one stays in the log. A damaged one is set
      aside unchanged in archive/, with a name that ends in .damaged, and the others
      are moved all the same; the exit code is then 1.

      To authenticate with a server, set GATEHOUSE_AUTH=name:secret.

      \(ExitStatus.help)
      """)

  @OptionGroup var output: OutputOptions

  @OptionGroup(title: "Encryption") var encryption: KeyOptions

  @Option(help: ArgumentHelp("the data folder, which no server may be using", valueName: "folder"))
  var data: String?

  @Option(help: "the server to ask, or GATEHOUSE_HOST (default: 127.0.0.1)")
  var host: String?

  @Option(help: "its TCP port, or GATEHOUSE_PORT (default: \(ServerAddress.defaultPort))")
  var port: Int?

  @OptionGroup(title: "TLS") var tls: TLSOptions

  @Option(
    help: ArgumentHelp("how long records are kept in the archive: 365d, or forever (default)", valueName: "duration"))
  var retention: Retention?

  @Flag(help: "only tell what would be done")
  var dryRun = false

  func validate() throws {
    if let port, !(1...65535).contains(port) { throw ValidationError("--port \(port) is not a TCP port") }
    if data != nil, host != nil || port != nil { throw ValidationError("give either --data or --host and --port") }
    guard data == nil else { return }
    if dryRun { throw ValidationError("--dry-run needs --data; it works beside a running server too") }
    if retention != nil { throw ValidationError("--retention needs --data; a server goes by its setting") }
  }

  func perform() throws {
    guard let data else { return try askServer() }
    var options = CompactionOptions(now: now())
    options.retention = retention?.milliseconds
    options.dictionaries = knownDictionaries()
    if dryRun {
      let plan = try CompactionPlan(DataFolder.look(at: data, key: encryption.key()), options: options)
      for warning in plan.warnings { Console.message("gatehousectl: warning: \(warning)") }
      return Console.result(lines: output.json ? plan.json + "\n" : plan.text)
    }
    try compact(data, options)
  }

  private func compact(_ path: String, _ options: CompactionOptions) throws {
    let folder: DataFolder
    let key = try encryption.key()
    do throws(FolderError) {
      folder = try DataFolder.open(path, key: key)
    } catch {
      if case .locked = error {
        Console.message("gatehousectl: a server uses the folder: ask it with `gatehousectl compact --port …`")
      }
      throw error
    }
    defer { folder.close() }
    let meter = output.meter()
    let report = try OfflineCompaction.run(folder, options: options) { step in
      // Before anything is written there is nothing to clean up.
      switch step {
      case .loading, .replaying: break
      case .saving, .compacting: Interruption.watch()
      }
      try Interruption.check()
      meter.show(step)
    }
    meter.end()
    for warning in report.compaction.warnings { Console.message("gatehousectl: warning: \(warning)") }
    Console.result(lines: output.json ? report.json + "\n" : report.text)
    if !report.compaction.damage.isEmpty {
      for text in report.compaction.damage { Console.message("gatehousectl: damage: \(text)") }
      throw ExitCode(ExitStatus.problems)
    }
  }

  private func askServer() throws {
    let meter = output.meter()
    let client = try ServerAddress.find(host: host, port: port, tls: tls).connect()
    meter.begin("waiting for the server")
    let reply = try client.command("COMPACT")
    meter.end()
    if let error = reply.errorText {
      Console.message("gatehousectl: the server refused: \(error)")
      throw ExitCode(ExitStatus.problems)
    }
    if output.json { return Console.result(reply.json()) }
    for pair in reply.pairs ?? [] {
      Console.result(ShownText.line("\(pair.key.string ?? pair.key.json()): \(pair.value.string ?? pair.value.json())"))
    }
    if reply.pairs == nil { Console.result(ShownText.line(reply.string ?? reply.json())) }
  }
}

/// How long the archive keeps records.
struct Retention: ExpressibleByArgument {
  /// nil for ever.
  let milliseconds: UInt64?

  init?(argument: String) {
    if argument.lowercased() == "forever" {
      milliseconds = nil
    } else if let duration = TimeText.duration(argument), duration > 0 {
      milliseconds = UInt64(duration)
    } else {
      return nil
    }
  }
}

extension ProgressMeter {
  func show(_ step: OfflineCompaction.Step) {
    switch step {
    case .loading(let snapshot): begin("loading the snapshot of record \(snapshot)")
    case .replaying(let done, let total):
      begin("replaying the log", of: total, .records)
      set(done, of: total)
    case .saving(let lsn): begin("taking a snapshot of record \(lsn)")
    case .compacting(.checking(let done, let total)):
      begin("checking the log", of: total)
      set(done, of: total)
    case .compacting(.settingAside(let name)): begin("setting \(name) aside: it is damaged")
    case .compacting(.archiving(let done, let total)):
      begin("archiving", of: total)
      set(done, of: total)
    case .compacting(.verifying(let done, let total)):
      begin("reading the archive back", of: UInt64(total), .steps)
      set(UInt64(done), of: UInt64(total))
    case .compacting(.replacing(let info)):
      begin("replacing \(ShownText.line(info.path)) by the one that is encrypted anew")
    case .compacting(.removing(let name)): begin("removing \(ShownText.line(name)) from the log")
    case .compacting(.expiring(let file, _)):
      begin("deleting \(ShownText.line(file.name)): its retention is over")
    }
  }
}
