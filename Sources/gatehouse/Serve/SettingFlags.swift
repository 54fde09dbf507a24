import ArgumentParser
import GatehouseServer

/// One flag for every setting, made from the table of settings. Values stay texts here; the table parses them, like those
/// of the environment and the file.
///
/// The flags belong to the command that has them, not to an option group: in debug builds the argument parser validates
/// a group anew for each validation of its command, which takes long with this many flags.
struct SettingFlags {
  /// The parser asks for all definitions many times while it parses one command line.
  private static let definitions = Setting.all.map { setting in
    Option<String?>(
      name: .customLong(setting.name),
      help: ArgumentHelp("\(setting.summary) (default: \(setting.defaultText))", valueName: setting.valueName))
  }

  /// In the order of the table.
  private let options: [Option<String?>]

  init() {
    options = Self.definitions
  }

  /// Takes the parsed values out of what the command is decoded from.
  init(from container: KeyedDecodingContainer<ArgumentKey>) throws {
    options = try Setting.all.map { setting in
      try container.decode(Option<String?>.self, forKey: ArgumentKey(stringValue: setting.name))
    }
  }

  /// The flags as the argument parser finds them in a command.
  var children: [Mirror.Child] {
    zip(Setting.all, options).map { setting, option in (label: setting.name, value: option) }
  }

  /// The settings that were given.
  var given: [(setting: Setting, value: String)] {
    zip(Setting.all, options).compactMap { setting, option in option.wrappedValue.map { (setting, $0) } }
  }
}

/// The name by which the argument parser keeps the value of a flag.
struct ArgumentKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }

  init(stringValue: String) {
    self.stringValue = stringValue
  }

  init?(intValue: Int) { nil }
}
