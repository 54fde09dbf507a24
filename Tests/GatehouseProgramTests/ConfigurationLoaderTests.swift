import ArgumentParser
import Foundation
import GatehouseServer
import GatehouseTestSupport
import Testing

@testable import gatehouse

@Suite(.blocking) struct ConfigurationLoaderTests {
  private func load(
    flags: [(Setting, String)] = [], environment: [String: String] = [:], file: String? = nil
  ) throws -> ConfigurationLoader.Loaded {
    guard let file else {
      return try ConfigurationLoader(flags: flags.map { ($0, $1) }, environment: environment, filePath: nil).load()
    }
    return try withTemporaryFile(file) { path in
      try ConfigurationLoader(flags: flags.map { ($0, $1) }, environment: environment, filePath: path).load()
    }
  }

  @Test func `nothing given means the defaults`() throws {
    let loaded = try load(environment: ["PATH": "/bin", "GATEHOUSE_AUTH": "not:a setting"])
    #expect(loaded.configuration == ServerConfiguration())
    #expect(loaded.given.isEmpty)
  }

  @Test func `the flag wins over the environment, and that over the file`() throws {
    let file = #"{"port": 1, "lanes": 2, "data": "from file"}"#
    let environment = ["GATEHOUSE_PORT": "3", "GATEHOUSE_LANES": "4"]
    let loaded = try load(flags: [(.port, "5")], environment: environment, file: file)
    #expect(loaded.configuration.port == 5)
    #expect(loaded.configuration.lanes == 4)
    #expect(loaded.configuration.dataPath == "from file")
    let sources = loaded.given.map(\.source)
    #expect(sources[0].hasPrefix("data in /"))
    #expect(sources[1...] == ["--port", "GATEHOUSE_LANES"])
  }

  @Test func `every setting can be given in the environment and in the file`() throws {
    let variables = Setting.all.map { "GATEHOUSE_" + $0.name.uppercased().replacing("-", with: "_") }
    let texts = Setting.all.map(\.defaultText)
    let fromEnvironment = try load(environment: Dictionary(uniqueKeysWithValues: zip(variables, texts)))
    #expect(fromEnvironment.given.map(\.source) == variables)
    #expect(fromEnvironment.given.map(\.value) == texts)
    #expect(fromEnvironment.configuration == ServerConfiguration())

    let members = Setting.all.map { #""\#($0.name)": "\#($0.defaultText)""# }.joined(separator: ",")
    let fromFile = try load(file: "{\(members)}")
    #expect(fromFile.given.map(\.setting.name) == Setting.all.map(\.name))
    #expect(fromFile.given.map(\.value) == texts)
    #expect(fromFile.configuration == ServerConfiguration())
  }

  @Test func `every setting has a flag of its name`() throws {
    let serve = try Serve.parse(
      ["--check"] + Setting.all.map { "--\($0.name)=\($0.defaultText)" } + ["--config", "some.json"])
    #expect(serve.settings.given.map(\.setting.name) == Setting.all.map(\.name))
    #expect(serve.settings.given.map(\.value) == Setting.all.map(\.defaultText))
    #expect(serve.check)
    #expect(serve.config == "some.json")
  }

  @Test func `only flags that were given count`() throws {
    let serve = try Serve.parse(["--lanes", "4", "--port=7000"])
    #expect(serve.settings.given.map(\.setting.name) == ["port", "lanes"])
    #expect(serve.settings.given.map(\.value) == ["7000", "4"])
    #expect(!serve.check)
    #expect(serve.config == nil)
  }

  @Test func `an unknown flag and a flag without a value are refused`() {
    #expect(throws: (any Error).self) { try Serve.parse(["--lane", "4"]) }
    #expect(throws: (any Error).self) { try Serve.parse(["--lanes"]) }
  }

  @Test func `help and completion name every flag`() {
    func inOneLine(_ text: String) -> String { text.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
    let help = inOneLine(Serve.helpMessage())
    let completion = Gatehouse.completionScript(for: .bash)
    for setting in Setting.all {
      let line = "--\(setting.name) <\(setting.valueName)> \(setting.summary) (default: \(setting.defaultText))"
      #expect(help.contains(inOneLine(line)), "\(setting.name)")
      #expect(completion.contains("--\(setting.name)"), "\(setting.name)")
    }
    #expect(help.contains("--config <file> JSON file of settings"))
    #expect(help.contains("--check show the settings"))
  }

  @Test func `the file is found through the environment`() throws {
    try withTemporaryFile(#"{"port": "9"}"#) { path in
      let loader = ConfigurationLoader(flags: [], environment: ["GATEHOUSE_CONFIG": path], filePath: nil)
      let loaded = try loader.load()
      #expect(loaded.configuration.port == 9)
    }
  }

  @Test func `a wrong value is refused, naming setting and source`() throws {
    let error = #expect(throws: SettingError.self) { try load(environment: ["GATEHOUSE_PORT": "x"]) }
    #expect(error?.description.hasPrefix(#"setting port (from GATEHOUSE_PORT): "x" is not a whole number"#) == true)
  }

  @Test func `settings are checked against each other`() {
    #expect(throws: SettingError.self) { try load(flags: [(.lanes, "65"), (.partitions, "64")]) }
  }

  @Test func `an unknown key in the file is refused`() throws {
    let error = #expect(throws: SettingError.self) { try load(file: #"{"prot": 1}"#) }
    #expect(error?.isUnknown == true)
    #expect(error?.setting == "prot")
  }

  @Test(arguments: ["", "[1]", "{", #"{"port": null}"#, #"{"port": 1.5}"#, #"{"port": [1]}"#, #"{"port": {"a": 1}}"#])
  func `anything but an object of settings is refused`(content: String) {
    let error = #expect(throws: ConfigurationFileError.self) { try load(file: content) }
    // Texts by Foundation and the provider are not for people.
    for word in ["NSCocoaErrorDomain", "Error Domain", "JSONSnapshot", "Optional("] {
      #expect(error?.description.contains(word) == false)
    }
  }

  @Test func `a missing file is refused`() {
    let loader = ConfigurationLoader(flags: [], environment: [:], filePath: "/no/such/file")
    let error = #expect(throws: ConfigurationFileError.self) { try loader.load() }
    let text = "the configuration file /no/such/file cannot be read (No such file or directory); give a file"
    #expect(error?.description.hasPrefix(text) == true)
  }

  @Test func `exit codes tell kinds of failures apart`() {
    #expect(ExitStatus.of(StartFailure.locked("")) == 75)
    #expect(ExitStatus.of(StartFailure.dataUnreadable("")) == 66)
    #expect(ExitStatus.of(StartFailure.io("")) == 74)
    #expect(ExitStatus.of(StartFailure.configuration("")) == 78)
    #expect(ExitStatus.of(ConfigurationFileError(description: "")) == 78)
    #expect(ExitStatus.of(CancellationError()) == 70)
  }
}

/// Calls `body` with the path of a file with this content, which is removed afterwards.
func withTemporaryFile<Result>(_ content: String, _ body: (String) throws -> Result) throws -> Result {
  let path = FileManager.default.temporaryDirectory.path + "/gatehouse-\(UUID().uuidString)"
  try Data(content.utf8).write(to: URL(fileURLWithPath: path))
  defer { try? FileManager.default.removeItem(atPath: path) }
  return try body(path)
}
