import ArgumentParser
import GatehouseCommandLine
import GatehouseCore
import GatehouseStorage
import GatehouseWire

/// `gatehousectl backup`: copies a data folder, even while a server uses it, or fetches that of a running server.
struct Backup: OperatorCommand {
  static let configuration = CommandConfiguration(
    abstract: "Copy a data folder, also while a server uses it, or a running server's over the network.",
    discussion: """
      EXAMPLES:
        gatehousectl backup ./data /backup/2026-03-01
        gatehousectl backup --json /srv/gatehouse /backup/today
        gatehousectl backup --without-history ./data /backup/state
        gatehousectl backup --tls node-two:7422 /backup/today    of a running server

      The copy is a data folder of its own: a server can be started on it, and
      'restore' makes it one as of an earlier moment. It holds everything that was
      acknowledged when the backup began, and is read back before it counts. It
      holds the folder's keys: keep it as safe as the original. The copy of an
      encrypted folder is encrypted under the same key; without the key it is made
      too, but what is in it cannot be read back.

      Over the network it takes a service with ADMIN that is bound to no workspace:
      set GATEHOUSE_AUTH=name:secret. Any node of a cluster can be asked, best one
      that follows. A backup that was interrupted begins anew.

      A folder whose past is damaged is refused, with the damage. With
      --without-history only the newest snapshots are copied and the records after
      them: all that a server needs to go on, and the trail from then on.

      \(ExitStatus.help)
      """)

  @OptionGroup var output: OutputOptions

  @OptionGroup(title: "Encryption") var encryption: KeyOptions

  @OptionGroup(title: "TLS") var tls: TLSOptions

  @Flag(help: "leave out the records that the snapshots cover: they may be damaged")
  var withoutHistory = false

  @ArgumentParser.Argument(
    help: ArgumentHelp("the data folder, or host:port of a running server", valueName: "folder"))
  var folder: String

  @ArgumentParser.Argument(help: ArgumentHelp("the folder to make; an empty one is taken too", valueName: "target"))
  var target: String

  func perform() throws {
    Interruption.watch()
    let meter = output.meter()
    let report: CopyReport
    if let address = NodeAddress(folder), !PosixDisk().exists(folder) {
      guard !withoutHistory else {
        throw ValidationError("--without-history is for a folder of this machine: run it there")
      }
      report = try fetch(from: address, meter)
    } else {
      report = try copy(meter)
    }
    meter.end()
    report.show(asJSON: output.json)
  }

  private func copy(_ meter: ProgressMeter) throws -> CopyReport {
    let size = FolderSize(path: folder)
    return try GatehouseStorage.Backup.copy(
      from: folder, to: target, leavesOutHistory: withoutHistory, key: try encryption.key(),
      dictionaries: knownDictionaries()
    ) {
      try Interruption.check()
      meter.show($0, of: size)
    }
  }

  private func fetch(from address: NodeAddress, _ meter: ProgressMeter) throws -> CopyReport {
    let key = try encryption.key()
    let server = try ServerAddress.find(host: address.host, port: address.port, tls: tls)
    let backup = try RemoteBackup(while: Interruption.check) { try server.connect() }
    defer { backup.release() }
    let files = backup.files.map { ArrivingFile(name: $0.name, size: $0.size) }
    let size = FolderSize(files)
    return try GatehouseStorage.Backup.receive(
      files, as: target, key: key, dictionaries: knownDictionaries(),
      progress: {
        try Interruption.check()
        meter.show($0, of: size)
      },
      fetch: { file, take in
        try backup.fetch(file, while: Interruption.check) {
          try take(ArrivingPiece(offset: $0.offset, bytes: $0.bytes, hash: $0.hash))
        }
      })
  }
}

extension CopyReport {
  /// Prints the result.
  func show(asJSON isJSON: Bool) {
    for warning in warnings { Console.message("gatehousectl: warning: \(warning)") }
    if isJSON {
      var object = JSONObject()
      object.add("path", path)
      object.add("snapshot", snapshot)
      object.add("first", firstLSN)
      object.add("last", lastLSN)
      object.add("warnings", texts: warnings)
      return Console.result(object.line)
    }
    let records = lastLSN >= firstLSN ? Figures.records(firstLSN...lastLSN) : "no records"
    Console.result(
      "\(ShownText.line(path)): \(records)" + (snapshot.map { ", snapshot of record \($0)" } ?? ", no snapshot"))
  }
}
