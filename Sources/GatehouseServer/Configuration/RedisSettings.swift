/// Settings under the names that Redis clients and tools ask for with `CONFIG GET`: redis-benchmark reads `save`
/// and `appendonly`, exporters and dashboards read the others. They can be read only; what they show is changed
/// through Gatehouse's own names.
package enum RedisSettings {
  package static let all: [(name: String, text: @Sendable (ServerConfiguration) -> String)] = [
    ("appendfsync", { $0.durability == .always ? "always" : "everysec" }),
    ("appendonly", { _ in "yes" }),
    ("databases", { _ in "1" }),
    ("dir", { $0.dataPath }),
    ("maxclients", { String($0.maxConnections) }),
    ("maxmemory", { _ in "0" }),
    ("maxmemory-policy", { _ in "noeviction" }),
    // A schedule of snapshots in Redis' sense does not exist here, which Redis writes as an empty text.
    ("save", { _ in "" }),
    ("slowlog-log-slower-than", { String($0.slowlogThreshold) }),
    ("slowlog-max-len", { String($0.slowlogLength) }),
    ("tcp-keepalive", { _ in String(KeepAlive.idleSeconds) }),
    ("timeout", { String($0.idleTimeout.milliseconds / 1000) }),
  ]
}
