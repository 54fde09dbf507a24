import ArgumentParser
import GatehouseStorage

/// Where the key of an encrypted folder comes from, as for the server. A key is never a word on the command line.
struct KeyOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "file of the folder's master key, or GATEHOUSE_ENCRYPTION_KEY_FILE; or give the key in GATEHOUSE_ENCRYPTION_KEY",
      valueName: "file"))
  var encryptionKeyFile: String?

  @Option(
    help: ArgumentHelp("command that prints the key, or GATEHOUSE_ENCRYPTION_KEY_COMMAND", valueName: "command"))
  var encryptionKeyCommand: String?

  /// The key; nil if none is given.
  func key() throws -> MasterKey? {
    let environment = Console.environment
    let isGiven = encryptionKeyFile != nil || encryptionKeyCommand != nil
    let source = try KeySource.chosen(
      file: encryptionKeyFile ?? (isGiven ? nil : environment["GATEHOUSE_ENCRYPTION_KEY_FILE"]),
      command: encryptionKeyCommand ?? (isGiven ? nil : environment["GATEHOUSE_ENCRYPTION_KEY_COMMAND"]))
    return try read(source)
  }
}

/// Where the master key comes from that a rotation takes.
struct NewKeyOptions: ParsableArguments {
  @Option(help: ArgumentHelp("file of the new master key (default: the key stays)", valueName: "file"))
  var newKeyFile: String?

  @Option(help: ArgumentHelp("command that prints the new master key", valueName: "command"))
  var newKeyCommand: String?

  var isGiven: Bool { newKeyFile != nil || newKeyCommand != nil }

  func validate() throws {
    if newKeyFile != nil, newKeyCommand != nil {
      throw ValidationError("give only one of --new-key-file and --new-key-command")
    }
  }

  func key() throws -> MasterKey? {
    try read(newKeyFile.map { KeySource.file($0) } ?? newKeyCommand.map { KeySource.command($0) })
  }
}

private func read(_ source: KeySource?) throws -> MasterKey? {
  guard let source else { return nil }
  if let warning = source.warning { Console.message("gatehousectl: warning: \(warning)") }
  return try source.read()
}
