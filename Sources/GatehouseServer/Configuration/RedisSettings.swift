/// A setting under the name that Redis clients and tools use: redis-benchmark reads `save` and `appendonly`, exporters
/// and dashboards read the others, and operators set them by habit.
package struct RedisSetting: Sendable {
  enum Meaning: Sendable {
    /// An alias of one of Gatehouse's settings. `read` turns a value as Redis writes it into ours, and returns nil if
    /// it is not one.
    case setting(Setting, read: @Sendable (String) -> String?)
    /// The value cannot be changed.
    case fixed
  }

  package let name: String
  /// The value as Redis writes it.
  package let text: @Sendable (ServerConfiguration) -> String
  let meaning: Meaning

  private init(
    _ name: String, _ meaning: Meaning = .fixed, _ text: @escaping @Sendable (ServerConfiguration) -> String
  ) {
    self.name = name
    self.text = text
    self.meaning = meaning
  }

  package static let all: [RedisSetting] = [
    RedisSetting("appendfsync") { $0.durability == .always ? "always" : "everysec" },
    RedisSetting("appendonly") { _ in "yes" },
    RedisSetting("databases") { _ in "1" },
    RedisSetting("dir") { $0.dataPath },
    RedisSetting("maxclients", .setting(.maxConnections) { $0 }) { String($0.maxConnections) },
    RedisSetting("maxmemory") { _ in "0" },
    RedisSetting("maxmemory-policy") { _ in "noeviction" },
    // Snapshots do not follow a schedule as in Redis; Redis shows that as an empty text.
    RedisSetting("save") { _ in "" },
    RedisSetting("slowlog-log-slower-than", .setting(.slowlogThreshold) { $0 }) { String($0.slowlogThreshold) },
    RedisSetting("slowlog-max-len", .setting(.slowlogLength) { $0 }) { String($0.slowlogLength) },
    RedisSetting("tcp-keepalive") { _ in String(KeepAlive.idleSeconds) },
    // Redis counts seconds.
    RedisSetting("timeout", .setting(.idleTimeout) { Int($0).map { "\($0)s" } }) {
      String($0.idleTimeout.milliseconds / 1000)
    },
  ]

  /// Looks a setting up by name, in any case.
  static func named(_ name: String) -> RedisSetting? { byName[name.lowercased()] }

  private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
}
