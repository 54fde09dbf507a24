import ArgumentParser
import GatehouseCore
import GatehouseStorage

/// `gatehousectl restore`: makes a data folder from a backup, as of some point.
struct Restore: OperatorCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make a data folder out of a backup, as of its end or of an earlier moment.",
    discussion: """
      EXAMPLES:
        gatehousectl restore /backup/monday ./data
        gatehousectl restore /backup/monday ./data --until 2026-03-01T09:30:00Z
        gatehousectl restore ./damaged ./data --until 48211
        gatehousectl restore ./damaged ./data --from-snapshot

      Nothing is overwritten: the folder must not be there yet, or be empty. What
      came after the moment is left out; the state as of it must be within reach
      of a snapshot that the backup holds, or of all records from the first on.

      Where the past is damaged, but a snapshot after the damage is sound,
      --from-snapshot takes the snapshot and the records after it, and leaves out
      the history before.

      \(ExitStatus.help)
      """)

  @OptionGroup var output: OutputOptions

  @OptionGroup(title: "Encryption") var encryption: KeyOptions

  @Option(
    help: ArgumentHelp(
      "the last record wanted by its number, or a time (RFC 3339): records after the first later one are left out",
      valueName: "lsn|time"))
  var until: Moment?

  @Flag(help: "leave out the records that the snapshots cover: they may be damaged")
  var fromSnapshot = false

  @ArgumentParser.Argument(help: ArgumentHelp("the backup, or any data folder", valueName: "backup"))
  var backup: String

  @ArgumentParser.Argument(help: ArgumentHelp("the folder to make", valueName: "folder"))
  var folder: String

  func perform() throws {
    Interruption.watch()
    let meter = output.meter()
    let size = FolderSize(path: backup)
    let report = try GatehouseStorage.Restore.run(
      from: backup, to: folder, until: until?.point ?? .end, leavesOutHistory: fromSnapshot, key: try encryption.key(),
      dictionaries: knownDictionaries(), keys: RecordIndex.times
    ) {
      try Interruption.check()
      meter.show($0, of: size)
    }
    meter.end()
    report.show(asJSON: output.json)
  }
}

/// A point in the order of records, by number or by time.
enum Moment: ExpressibleByArgument {
  case lsn(UInt64)
  case time(UInt64)

  init?(argument: String) {
    if let lsn = UInt64(argument) {
      self = .lsn(lsn)
    } else if let time = TimeText.time(argument) {
      self = .time(UInt64(time))
    } else {
      return nil
    }
  }

  var point: GatehouseStorage.Restore.Point {
    switch self {
    case .lsn(let lsn): .lsn(lsn)
    case .time(let time): .time(time)
    }
  }
}
