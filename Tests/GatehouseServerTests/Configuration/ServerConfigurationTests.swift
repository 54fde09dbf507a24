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
    #expect(throws: SettingError.self) { try lanes.validate() }

    var snapshots = ServerConfiguration()
    snapshots.snapshotEveryBytes = snapshots.segmentBytes - 1
    #expect(throws: SettingError.self) { try snapshots.validate() }
    snapshots.snapshotEveryBytes = 0
    #expect(throws: Never.self) { try snapshots.validate() }
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

  @Test func `a reload takes live settings and names those that wait for a start`() {
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

  @Test func `what Redis tools ask for follows the settings`() {
    var configuration = ServerConfiguration()
    configuration.durability = .interval(.seconds(1))
    configuration.idleTimeout = .seconds(90)
    let shown = Dictionary(uniqueKeysWithValues: RedisSettings.all.map { ($0.name, $0.text(configuration)) })
    #expect(shown["appendfsync"] == "everysec")
    #expect(shown["timeout"] == "90")
    #expect(shown["maxclients"] == "10000")
    #expect(shown["save"] == "")
    #expect(Set(shown.keys).isDisjoint(with: Setting.all.map(\.name)))
  }
}
