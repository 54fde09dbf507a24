import Testing

@testable import GatehouseServer

@Suite struct ServerConfigurationTests {
  @Test func `lanes leave a core to the log writer and never outnumber the partitions`() {
    var configuration = ServerConfiguration()
    #expect(configuration.laneCount(cores: 1) == 1)
    #expect(configuration.laneCount(cores: 2) == 1)
    #expect(configuration.laneCount(cores: 8) == 7)
    configuration.partitions = 4
    #expect(configuration.laneCount(cores: 8) == 4)
    configuration.lanes = 3
    #expect(configuration.laneCount(cores: 8) == 3)
  }

  @Test func `settings that do not fit each other are refused`() {
    var lanes = ServerConfiguration()
    lanes.lanes = 128
    lanes.partitions = 64
    #expect(throws: SettingError.self) { try lanes.validate() }

    var snapshots = ServerConfiguration()
    snapshots.snapshotEveryBytes = snapshots.segmentBytes - 1
    #expect(throws: SettingError.self) { try snapshots.validate() }
    snapshots.snapshotEveryBytes = 0
    #expect(throws: Never.self) { try snapshots.validate() }

    var fetching = ServerConfiguration()
    fetching.fetchService = "nodes"
    fetching.fetchSecretFile = "/secret"
    #expect(throws: SettingError(setting: "fetch-service", value: "nodes", problem: "needs replication; give it, too"))
    {
      try fetching.validate()
    }
    fetching.replication = "etcd://a:1"
    #expect(throws: Never.self) { try fetching.validate() }
    fetching.fetchSecretFile = nil
    #expect(
      throws: SettingError(setting: "fetch-service", value: "nodes", problem: "needs fetch-secret-file; give it, too")
    ) { try fetching.validate() }
  }

  @Test func `a running server changes live settings only`() throws {
    var configuration = ServerConfiguration()
    try configuration.change("SLOWLOG-LENGTH", to: "7")
    #expect(configuration.slowlogLength == 7)

    let before = configuration
    for (name, value) in [("port", "1"), ("no-such-setting", "1"), ("slowlog-length", "x"), ("snapshot-bytes", "1mb")] {
      let error = #expect(throws: SettingError.self) { try configuration.change(name, to: value) }
      #expect(error?.isUnknown == (name == "no-such-setting"))
    }
    #expect(configuration == before)
  }

  @Test func `a reload applies live settings and names those that need a restart`() {
    let running = ServerConfiguration()
    var wanted = running
    wanted.port = 1
    wanted.lanes = 2
    wanted.maxConnections = 5
    wanted.archiveRetention = .atLeast(.seconds(86_400))

    let (adopted, waiting) = running.adoptingLiveSettings(of: wanted)
    #expect(adopted.maxConnections == 5)
    #expect(adopted.archiveRetention == .atLeast(.seconds(86_400)))
    #expect(adopted.port == running.port)
    #expect(waiting.map(\.name) == ["port", "lanes"])
  }

  @Test func `a server joins a cluster or leaves it`() throws {
    var configuration = ServerConfiguration()
    configuration.follow = .alone
    try configuration.validate()
    configuration.follow = .yes
    #expect(throws: SettingError.self) { try configuration.validate() }
    configuration.replication = "etcd://a:2379"
    try configuration.validate()
    configuration.follow = .alone
    let error = #expect(throws: SettingError.self) { try configuration.validate() }
    #expect(error?.problem.contains("is for a server that leaves its cluster; leave replication out") == true)
  }

  @Test func `settings under their Redis names follow Gatehouse's`() {
    var configuration = ServerConfiguration()
    configuration.durability = .interval(.seconds(1))
    configuration.idleTimeout = .seconds(90)
    let shown = Dictionary(uniqueKeysWithValues: RedisSetting.all.map { ($0.name, $0.text(configuration)) })
    #expect(shown["appendfsync"] == "everysec")
    #expect(shown["timeout"] == "90")
    #expect(shown["maxclients"] == "10000")
    #expect(shown["save"] == "")
    #expect(Set(shown.keys).isDisjoint(with: Setting.all.map(\.name)))
  }

  @Test func `every shown setting accepts its shown value`() throws {
    var configuration = ServerConfiguration()
    configuration.durability = .interval(.seconds(1))
    configuration.idleTimeout = .milliseconds(1500)
    for (name, value) in configuration.shownSettings {
      var same = configuration
      try same.change(name.uppercased(), to: value)
      #expect(same == configuration, "\(name) \(value)")
    }
    var all = configuration
    try all.change(Setting.all.map { ($0.name, $0.text(in: configuration)) })
    #expect(all == configuration)
  }

  @Test func `the command that prints the master key, which may have a secret in it, is not shown`() {
    var configuration = ServerConfiguration()
    func shown() -> String? { configuration.shownSettings.first { $0.name == "encryption-key-command" }?.value }
    #expect(shown() == "none")
    configuration.encryptionKeyCommand = "curl -H 'X-Vault-Token: hvs.1' https://vault.test/key"
    #expect(shown() == "(redacted)")
    #expect(!configuration.shownSettings.contains { $0.value.contains("hvs.1") })
  }

  @Test func `Redis' names change Gatehouse's settings`() throws {
    var configuration = ServerConfiguration()
    try configuration.change([
      ("maxclients", "77"), ("timeout", "90"), ("slowlog-max-len", "5"), ("slowlog-log-slower-than", "-1"),
    ])
    #expect(configuration.maxConnections == 77)
    #expect(configuration.idleTimeout == .seconds(90))
    #expect(configuration.slowlogLength == 5)
    #expect(configuration.slowlogThreshold == -1)
    #expect(Setting.maxConnections.text(in: configuration) == "77")
  }

  @Test(arguments: [
    (
      ["slowlog-length", "64", "maxmemory", "1gb"],
      "CONFIG SET failed (possibly related to argument 'maxmemory') - can't set immutable config: it is \"0\" here"
    ),
    (
      ["slowlog-length", "64", "maxclients", "many"],
      "CONFIG SET failed (possibly related to argument 'maxclients') - \"many\" is not a whole number from 1 to 1000000"
    ),
    (
      ["timeout", "soon"],
      "CONFIG SET failed (possibly related to argument 'timeout') - \"soon\" is not a whole number of seconds"
    ),
    (
      ["appendonly", "no"],
      "CONFIG SET failed (possibly related to argument 'appendonly') - can't set immutable config: it is \"yes\" here"
    ),
    (
      ["port", "1"],
      "CONFIG SET failed (possibly related to argument 'port') - can't be set now: the setting is fixed at "
        + "the start; change it in the configuration and start the server again"
    ),
    (
      ["slowlog-length", "64", "slowlog-max-len", "65"],
      "CONFIG SET failed (possibly related to argument 'slowlog-max-len') - duplicate parameter"
    ),
    (["nonsense", "1"], "Unknown option or number of arguments for CONFIG SET - 'nonsense'"),
  ])
  func `what cannot be set changes nothing and is named`(words: [String], text: String) {
    var configuration = ServerConfiguration()
    let before = configuration
    do throws(SettingError) {
      try configuration.change(stride(from: 0, to: words.count, by: 2).map { (words[$0], words[$0 + 1]) })
      Issue.record("\(words) was taken")
    } catch {
      #expect(error.replyToConfigSet == text)
    }
    #expect(configuration == before)
  }
}
