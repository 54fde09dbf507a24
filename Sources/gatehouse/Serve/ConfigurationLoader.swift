import Configuration
import Foundation
import GatehouseServer

/// A configuration file cannot be used.
struct ConfigurationFileError: Error, CustomStringConvertible {
  let description: String
}

/// Builds a server's configuration from all sources. For each setting, the first source that has it wins: the flag, the
/// environment variable, the file, the default.
struct ConfigurationLoader: Sendable {
  /// A setting's value, and where it was found.
  struct Origin: Sendable {
    let setting: Setting
    let value: String
    let source: String
  }

  struct Loaded: Sendable {
    var configuration = ServerConfiguration()
    /// The settings that were given; all others have their defaults.
    var given: [Origin] = []
  }

  let flags: [(setting: Setting, value: String)]
  let environment: [String: String]
  /// The path given as a flag; if nil, `GATEHOUSE_CONFIG` is used.
  let filePath: String?

  func load() throws -> Loaded {
    var sources: [(snapshot: any ConfigSnapshot, name: @Sendable (LookupResult) -> String)] = [
      (flagProvider().snapshot(), { "--" + $0.encodedKey }),
      (environmentProvider().snapshot(), { $0.encodedKey }),
    ]
    if let path = filePath ?? environment["GATEHOUSE_CONFIG"] {
      sources.append((try fileSnapshot(path), { "\($0.encodedKey) in \(path)" }))
    }

    var loaded = Loaded()
    for setting in Setting.all {
      for (snapshot, name) in sources {
        guard let (value, result) = try lookUp(setting, in: snapshot, name: name) else { continue }
        let origin = Origin(setting: setting, value: value, source: name(result))
        try take(origin, into: &loaded)
        break
      }
    }
    try loaded.configuration.validate()
    return loaded
  }

  private func take(_ origin: Origin, into loaded: inout Loaded) throws(SettingError) {
    do {
      try origin.setting.write(origin.value, into: &loaded.configuration)
    } catch {
      var error = error
      error.source = origin.source
      throw error
    }
    loaded.given.append(origin)
  }

  /// The table parses texts. A file may contain `7420` or `"7420"`, which the provider distinguishes by type.
  private func lookUp(
    _ setting: Setting, in snapshot: any ConfigSnapshot, name: (LookupResult) -> String
  ) throws -> (String, LookupResult)? {
    let key = AbsoluteConfigKey([setting.name])
    if let result = try? snapshot.value(forKey: key, type: .string) {
      guard case .string(let text)? = result.value?.content else { return nil }
      return (text, result)
    }
    let result: LookupResult
    do {
      result = try snapshot.value(forKey: key, type: .int)
    } catch {
      throw Self.noValue(setting.name)
    }
    guard case .int(let number)? = result.value?.content else { return nil }
    return (String(number), result)
  }

  // MARK: Sources

  private func flagProvider() -> InMemoryProvider {
    InMemoryProvider(
      name: "flags",
      values: Dictionary(
        flags.map { (AbsoluteConfigKey([$0.setting.name]), ConfigValue(.string($0.value), isSecret: false)) },
        uniquingKeysWith: { _, last in last }))
  }

  private func environmentProvider() -> KeyMappingProvider<EnvironmentVariablesProvider> {
    EnvironmentVariablesProvider(environmentVariables: environment).prefixKeys(with: "gatehouse")
  }

  /// The file is one JSON object whose keys are setting names. An unknown key is refused, because a misspelt setting
  /// that silently keeps its default would be noticed too late.
  private func fileSnapshot(_ path: String) throws -> JSONSnapshot {
    let data: Data
    do {
      data = Data(try SmallFile.read(path))
    } catch {
      throw ConfigurationFileError(
        description: "the configuration file \(path) cannot be read (\(error)); "
          + "give a file that is there with --config or GATEHOUSE_CONFIG, or neither")
    }
    let values = try Self.object(in: data, path)
    let snapshot: JSONSnapshot
    do {
      snapshot = try JSONSnapshot(data: data.bytes, providerName: path, parsingOptions: .default)
    } catch {
      throw Self.noObject(path, "a value in it is neither a text nor a number")
    }
    for (key, value) in values.sorted(by: { $0.key < $1.key }) {
      guard Setting.named(key)?.name == key else {
        throw SettingError(
          setting: key, value: "", problem: "is no setting; `gatehouse serve --help` lists them", isUnknown: true,
          source: path)
      }
      // The provider would treat both as if the key were missing.
      if value is NSNull || value is [String: Any] { throw Self.noValue(key) }
    }
    return snapshot
  }

  private static func object(in data: Data, _ path: String) throws -> [String: Any] {
    let value: Any
    do {
      value = try JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed)
    } catch {
      // The parser's description says where it stopped; the rest of its error is for programs.
      let place = (error as NSError).userInfo["NSDebugDescription"] as? String
      throw noObject(path, place ?? "it is not JSON")
    }
    guard let object = value as? [String: Any] else { throw noObject(path, "it holds another kind of value") }
    return object
  }

  private static func noObject(_ path: String, _ why: String) -> ConfigurationFileError {
    ConfigurationFileError(description: "the configuration file \(path) is not one JSON object of settings: \(why)")
  }

  private static func noValue(_ name: String) -> ConfigurationFileError {
    ConfigurationFileError(
      description: "setting \(name) in the configuration file is neither a text nor a whole number")
  }
}
