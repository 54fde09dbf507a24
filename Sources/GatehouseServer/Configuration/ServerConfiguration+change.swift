/// Reads and changes the settings of a running server by name, under Gatehouse's names and Redis'.
extension ServerConfiguration {
  /// The settings that `CONFIG GET` shows.
  package var shownSettings: [(name: String, value: String)] {
    Setting.all.map { ($0.name, $0.shownText(in: self)) } + RedisSetting.all.map { ($0.name, $0.text(self)) }
  }

  /// Changes settings, all or none. Setting any of them, even a fixed one, to the value it already has is allowed and
  /// changes nothing.
  ///
  /// - Throws: an error that names the setting if it is unknown, fixed at the start, out of bounds, or given twice. The
  ///   configuration is then unchanged.
  package mutating func change(_ asked: [(name: String, value: String)]) throws(SettingError) {
    var changed = self
    var seen: Set<String> = []
    for (name, value) in asked {
      let target = try SettingName(name, value)
      guard seen.insert(target.key).inserted else {
        throw SettingError(setting: name, value: value, problem: "duplicate parameter")
      }
      if try !target.isGivenAsItIs(in: self) { try target.write(into: &changed) }
    }
    try changed.validate()
    self = changed
  }

  /// Changes one setting.
  package mutating func change(_ name: String, to value: String) throws(SettingError) { try change([(name, value)]) }
}

/// A setting under the name that a request used, and the value asked for.
private struct SettingName {
  let name: String
  let value: String
  private let setting: Setting?
  private let redis: RedisSetting?

  init(_ name: String, _ value: String) throws(SettingError) {
    self.name = name
    self.value = value
    let redis = RedisSetting.named(name)
    self.redis = redis
    if case .setting(let meant, _) = redis?.meaning { setting = meant } else { setting = Setting.named(name) }
    guard setting != nil || redis != nil else {
      throw SettingError(setting: name, value: value, problem: "is no setting of this server", isUnknown: true)
    }
  }

  /// The same for all names of one setting, to find duplicates.
  var key: String { setting?.name ?? name.lowercased() }

  /// Whether the value asked for is the current one.
  func isGivenAsItIs(in configuration: ServerConfiguration) throws(SettingError) -> Bool {
    if let redis { return redis.text(configuration) == value }
    guard let setting else { return false }
    // `90000ms` and `90s` are the same value.
    var read = configuration
    try setting.write(value, into: &read)
    return setting.text(in: read) == setting.text(in: configuration)
  }

  func write(into configuration: inout ServerConfiguration) throws(SettingError) {
    var text: String? = value
    if let redis {
      guard case .setting(_, let read) = redis.meaning else {
        throw problem("can't set immutable config: it is \"\(redis.text(configuration))\" here")
      }
      text = read(value)
    }
    guard let setting, let text else { throw problem("is not a whole number of seconds") }
    guard setting.isLive else {
      throw problem(
        "can't be set now: the setting is fixed at the start; change it in the configuration and start the server again"
      )
    }
    do throws(SettingError) {
      try setting.write(text, into: &configuration)
    } catch {
      throw problem(error.problem)
    }
  }

  private func problem(_ text: String) -> SettingError { SettingError(setting: name, value: value, problem: text) }
}

extension SettingError {
  /// The error texts of Redis; clients look in them for the setting's name.
  var replyToConfigSet: String {
    isUnknown
      ? "Unknown option or number of arguments for CONFIG SET - '\(setting.prefix(128))'"
      : "CONFIG SET failed (possibly related to argument '\(setting.prefix(128))') - \(sentence)"
  }

  /// A problem that begins with "is" is a predicate: put the value before it.
  private var sentence: String { problem.hasPrefix("is ") ? "\"\(value.prefix(128))\" \(problem)" : problem }
}
