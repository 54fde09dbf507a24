/// One row of the table of settings: a property of `ServerConfiguration` with the name, type, bounds and
/// help under which flags, environment, file and `CONFIG` know it.
package struct Setting: Sendable {
  /// The name in kebab case: `max-connections` is the flag `--max-connections`, the variable
  /// `GATEHOUSE_MAX_CONNECTIONS`, the key `max-connections` of the file and of `CONFIG GET`.
  package let name: String

  /// What stands for the value in help texts: `port`, `duration`, `text|json`.
  package let valueName: String

  /// What it does, in one sentence without a full stop.
  package let summary: String

  /// Whether `CONFIG SET` and a reload can change it while the server runs.
  package let isLive: Bool

  private let read: @Sendable (ServerConfiguration) -> String
  private let parse: @Sendable (String, inout ServerConfiguration) -> Problem?

  /// Why a value cannot be taken, and what to give instead: the end of a sentence that starts with the value.
  typealias Problem = String

  /// - Parameters:
  ///   - parse: the value of a text, or nil if it is none.
  ///   - expected: what a value must be, after "is not": `a duration such as 90s`.
  init<Value>(
    _ name: String,
    _ property: any WritableKeyPath<ServerConfiguration, Value> & Sendable,
    value valueName: String,
    live isLive: Bool = false,
    expected: String,
    parse: @escaping @Sendable (String) -> Value?,
    format: @escaping @Sendable (Value) -> String,
    _ summary: String
  ) {
    self.name = name
    self.valueName = valueName
    self.summary = summary
    self.isLive = isLive
    self.read = { format($0[keyPath: property]) }
    self.parse = { text, configuration in
      guard let value = parse(text) else { return "is not \(expected)" }
      configuration[keyPath: property] = value
      return nil
    }
  }

  /// The value that `configuration` has, in the form that `write` takes.
  package func text(in configuration: ServerConfiguration) -> String { read(configuration) }

  /// The value of a server that is told nothing else.
  package var defaultText: String { read(ServerConfiguration()) }

  package func write(_ text: String, into configuration: inout ServerConfiguration) throws(SettingError) {
    if let problem = parse(text, &configuration) {
      throw SettingError(setting: name, value: text, problem: problem)
    }
  }

  /// Every value a configuration has was taken by `parse` or is a default, so its text is taken again.
  func copy(from other: ServerConfiguration, into configuration: inout ServerConfiguration) {
    let problem = parse(read(other), &configuration)
    precondition(problem == nil, "the text of a setting is not read back")
  }
}

/// A value that a setting cannot have: names the setting, what was given, and what to give instead.
package struct SettingError: Error, Equatable, CustomStringConvertible {
  package let setting: String
  package let value: String
  package let problem: String
  /// Whether there is no setting of that name.
  package let isUnknown: Bool
  /// Where the value stood (`the environment variable GATEHOUSE_PORT`), if it came from outside.
  package var source: String?

  package init(setting: String, value: String, problem: String, isUnknown: Bool = false, source: String? = nil) {
    self.setting = setting
    self.value = value
    self.problem = problem
    self.isUnknown = isUnknown
    self.source = source
  }

  package var description: String {
    let origin = source.map { " (from \($0))" } ?? ""
    return isUnknown
      ? "\"\(setting)\" \(problem)\(origin)"
      : "setting \(setting)\(origin): \"\(value)\" \(problem)"
  }
}
