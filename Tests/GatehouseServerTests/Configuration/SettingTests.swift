import Testing

@testable import GatehouseServer

@Suite struct SettingTests {
  @Test func `the text of every default parses to the default`() throws {
    for setting in Setting.all {
      var configuration = ServerConfiguration()
      try setting.write(setting.defaultText, into: &configuration)
      #expect(configuration == ServerConfiguration(), "\(setting.name)")
      #expect(setting.text(in: configuration) == setting.defaultText, "\(setting.name)")
    }
    try ServerConfiguration().validate()
  }

  @Test func `names are unique, in kebab case, and found in any case`() {
    for setting in Setting.all {
      #expect(setting.name.allSatisfy { $0 == "-" || ($0.isASCII && $0.isLowercase) }, "\(setting.name)")
      #expect(!setting.summary.hasSuffix("."))
      #expect(Setting.named(setting.name.uppercased())?.name == setting.name)
    }
    #expect(Setting.named("no-such-setting") == nil)
  }

  @Test(arguments: [
    ("port", "0", "0"), ("port", "65535", "65535"), ("lanes", "auto", "auto"), ("lanes", "4", "4"),
    ("partitions", "1", "1"), ("partitions", "4096", "4096"),
    ("durability", "ALWAYS", "always"), ("durability", "50ms", "50ms"), ("durability", "1000", "1s"),
    ("segment-bytes", "1048576", "1mb"), ("segment-bytes", "64MB", "64mb"), ("segment-bytes", "1500kb", "1500kb"),
    ("snapshot-bytes", "0", "0"), ("snapshot-interval", "0", "0"), ("snapshot-interval", "90s", "90s"),
    ("snapshot-interval", "60m", "1h"), ("archive-retention", "Forever", "forever"),
    ("archive-retention", "3650d", "3650d"), ("slowlog-threshold", "-1", "-1"), ("log-level", "DEBUG", "debug"),
    ("log-format", "json", "json"), ("compression-level", "19", "19"),
  ])
  func `a value is taken and shown in its shortest form`(name: String, given: String, shown: String) throws {
    var configuration = ServerConfiguration()
    let setting = try #require(Setting.named(name))
    try setting.write(given, into: &configuration)
    #expect(setting.text(in: configuration) == shown)
  }

  @Test(arguments: [
    ("data", ""), ("host", ""), ("host", "a b"), ("port", "65536"), ("port", "-1"), ("port", "x"), ("lanes", "0"),
    ("lanes", "257"), ("partitions", "0"), ("partitions", "3"), ("partitions", "8192"), ("max-connections", "0"),
    ("durability", "0"), ("durability", "2m"), ("durability", "never"), ("segment-bytes", "1kb"),
    ("segment-bytes", "64 mb"), ("segment-bytes", "9223372036854775807gb"), ("snapshot-bytes", "1"),
    ("snapshot-interval", "1w"), ("snapshot-interval", "-5s"), ("archive-retention", "1h"),
    ("slowlog-threshold", "-2"), ("log-level", "loud"), ("log-format", "xml"), ("compression-level", "-8"),
  ])
  func `a value out of bounds is refused, naming the setting`(name: String, given: String) throws {
    var configuration = ServerConfiguration()
    let setting = try #require(Setting.named(name))
    let error = #expect(throws: SettingError.self) { try setting.write(given, into: &configuration) }
    #expect(configuration == ServerConfiguration())
    #expect(error?.description.contains("setting \(name): \"\(given)\" is not ") == true)
  }
}
