/// One row of the table of settings: a property of `ServerConfiguration`, with the name, type, bounds and help text
/// that flags, environment, file and `CONFIG` share.
package struct Setting: Sendable {
  /// The name in kebab case: `max-connections` is the flag `--max-connections`, the variable
  /// `GATEHOUSE_MAX_CONNECTIONS`, the key `max-connections` of the file and of `CONFIG GET`.
  package let name: String

  /// The placeholder for the value in help texts: `port`, `duration`, `text|json`.
  package let valueName: String

  /// What it does, in one sentence without a full stop.
  package let summary: String

  /// Whether `CONFIG SET` and a reload can change it while the server runs.
  package let isLive: Bool

  /// Whether the value may hold a secret, so that services are not told it.
  package let mayBeSecret: Bool

  private let read: @Sendable (ServerConfiguration) -> String
  private let parse: @Sendable (String, inout ServerConfiguration) -> Problem?

  /// Why a value is refused, and what to give instead: a predicate that follows the value, such as "is not …".
  typealias Problem = String

  /// - Parameters:
  ///   - parse: reads a value from text; nil if the text is not a valid value.
  ///   - expected: what a value must be, as it reads after "is not": `a duration such as 90s`.
  init<Value>(
    _ name: String,
    _ property: any WritableKeyPath<ServerConfiguration, Value> & Sendable,
    value valueName: String,
    live isLive: Bool = false,
    mayBeSecret: Bool = false,
    expected: String,
    parse: @escaping @Sendable (String) -> Value?,
    format: @escaping @Sendable (Value) -> String,
    _ summary: String
  ) {
    self.name = name
    self.valueName = valueName
    self.summary = summary
    self.isLive = isLive
    self.mayBeSecret = mayBeSecret
    self.read = { format($0[keyPath: property]) }
    self.parse = { text, configuration in
      guard let value = parse(text) else { return "is not \(expected)" }
      configuration[keyPath: property] = value
      return nil
    }
  }

  /// The value in `configuration`, in the form that `write` accepts.
  package func text(in configuration: ServerConfiguration) -> String { read(configuration) }

  /// The value as services are told it.
  func shownText(in configuration: ServerConfiguration) -> String {
    let text = read(configuration)
    return mayBeSecret && text != defaultText ? "(redacted)" : text
  }

  /// The default value.
  package var defaultText: String { read(Self.defaults) }

  private static let defaults = ServerConfiguration()

  package func write(_ text: String, into configuration: inout ServerConfiguration) throws(SettingError) {
    if let problem = parse(text, &configuration) {
      throw SettingError(setting: name, value: text, problem: problem)
    }
  }

  /// Copies this setting as text. Every value is a default or was accepted by `parse`, so `parse` accepts its text
  /// again.
  func copy(from other: ServerConfiguration, into configuration: inout ServerConfiguration) {
    let problem = parse(read(other), &configuration)
    precondition(problem == nil, "the text of a setting is not read back")
  }
}

/// A setting was given a value that it cannot have. Names the setting, the value, and what to give instead.
package struct SettingError: Error, Equatable, CustomStringConvertible {
  package let setting: String
  package let value: String
  package let problem: String
  /// Whether there is no setting of that name.
  package let isUnknown: Bool
  /// Where the value came from, such as `the environment variable GATEHOUSE_PORT`, if from outside.
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
