import GatehouseWire
import Logging

/// The table of settings. To add one, add a property with its default to `ServerConfiguration` and one row here.
extension Setting {
  package static let data = Setting(
    "data", \.dataPath, value: "folder",
    expected: "a path; give the folder of the data, which is made if it is not there",
    parse: { $0.isEmpty || $0.utf8.contains(0) ? nil : $0 },
    format: { $0 },
    "folder of the log, snapshots and archive, made if missing")

  package static let host = address(
    "host", \.host, "127.0.0.1, or another of this machine alone",
    "address to listen on without TLS, of this machine alone")

  package static let port = integer(
    "port", \.port, value: "port", 0...65535, "TCP port to listen on without TLS, 0 for any free one")

  package static let tlsHost = address(
    "tls-host", \.tlsHost, "127.0.0.1 for this machine only, or 0.0.0.0 for every network",
    "address to listen on with TLS")

  package static let tlsPort = integer(
    "tls-port", \.tlsPort, value: "port", 0...65535, "TCP port to listen on with TLS, 0 for none")

  package static let tlsCertFile = optionalFile(
    "tls-cert-file", \.tlsCertFile, "PEM file of the server's certificate, read again when it changes")

  package static let tlsKeyFile = optionalFile(
    "tls-key-file", \.tlsKeyFile, "PEM file of the certificate's private key, read again when it changes")

  package static let tlsCACertFile = optionalFile(
    "tls-ca-cert-file", \.tlsCACertFile, "PEM file of the authorities whose client certificates are believed")

  package static let tlsAuthClients = choice(
    "tls-auth-clients", \.tlsAuthClients, "whether TLS clients must show a certificate")

  package static let httpHost = address(
    "http-host", \.httpHost, "127.0.0.1, or another of this machine alone",
    "address to serve HTTP on without TLS, of this machine alone")

  package static let httpPort = integer(
    "http-port", \.httpPort, value: "port", 0...65535, "TCP port to serve HTTP on without TLS, 0 for none")

  package static let httpsHost = address(
    "https-host", \.httpsHost, "127.0.0.1 for this machine only, or 0.0.0.0 for every network",
    "address to serve HTTP on with TLS")

  package static let httpsPort = integer(
    "https-port", \.httpsPort, value: "port", 0...65535,
    "TCP port to serve HTTP on with TLS and the tls- settings, 0 for none")

  package static let httpProxies = Setting(
    "http-proxies", \.httpProxies, value: "networks", live: true,
    expected: "none, or a list of private, loopback and networks such as 10.1.0.0/16, with commas between them",
    // Anybody could say of any request from whom it is.
    parse: { NetworkList($0).flatMap { $0.allowsPublic ? nil : $0 } },
    format: { $0.text },
    "proxies whose X-Forwarded-For or Forwarded says who a request is from: loopback, private, or networks")

  package static let consoleProduct = Setting(
    "console-product", \.consoleProduct, value: "product", live: true,
    expected: "a product; give name for one of the workspace main, or workspace/name",
    parse: { $0.isEmpty || $0.utf8.count > 129 || $0.utf8.contains { $0 <= 32 } ? nil : $0 },
    format: { $0 },
    "product whose people may open the console")

  package static let signInDomain = Setting(
    "sign-in-domain", \.signInDomain, value: "domain|none", live: true,
    expected: "a domain such as acme.example, without a dot before it, or none",
    parse: { text -> String?? in
      if text == "none" { return .some(nil) }
      let labels = text.lowercased().split(separator: ".", omittingEmptySubsequences: false)
      let isDomain =
        labels.count > 1 && text.utf8.count <= 253
        && labels.allSatisfy { label in
          (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
            && label.utf8.allSatisfy { $0 &- 0x61 < 26 || $0 &- 0x30 < 10 || $0 == 0x2d }
        }
      // Not by `?:`, of which nil would be the inner one: none.
      guard isDomain else { return nil }
      return text.lowercased()
    },
    format: { $0 ?? "none" },
    "domain whose hosts share the session of the sign-in at applications behind a proxy, none for each host its own")

  package static let webhookNetworks = Setting(
    "webhook-networks", \.webhookNetworks, value: "networks", live: true,
    expected: "none, or a list of public, private, loopback and networks such as 10.1.0.0/16, with commas between them",
    parse: { NetworkList($0) },
    format: { $0.text },
    "addresses that webhooks may connect to: public, private, loopback, or networks such as 10.1.0.0/16")

  package static let webhookCACertFile = optionalFile(
    "webhook-ca-cert-file", \.webhookCACertFile,
    "PEM file of the authorities of webhooks' receivers, else those of the system")

  package static let lanes = Setting(
    "lanes", \.lanes, value: "n|auto",
    expected: "a whole number from 1 to 256, or auto for one less than the cores",
    parse: { text -> Int?? in
      if text == "auto" { return .some(nil) }
      guard let count = Int(text), (1...256).contains(count) else { return nil }
      return count
    },
    format: { $0.map { String($0) } ?? "auto" },
    "event-loop threads, auto for one less than the cores")

  package static let partitions = Setting(
    "partitions", \.partitions, value: "n",
    expected: "a power of two from 1 to 4096",
    parse: { text in Int(text).flatMap { (1...4096).contains($0) && $0 & ($0 - 1) == 0 ? $0 : nil } },
    format: { String($0) },
    "shares of the state, fixed when the data folder is made")

  package static let maxConnections = integer(
    "max-connections", \.maxConnections, live: true, 1...1_000_000, "clients that may be connected at once")

  package static let durability = Setting(
    "durability", \.durability, value: "always|duration",
    expected: "always, or a duration from 1ms to 1m: the longest that an acknowledged change may be unsynced",
    parse: { text in
      if text.lowercased() == "always" { return .always }
      guard let interval = DurationText.parse(text), interval >= .milliseconds(1), interval <= .seconds(60) else {
        return nil
      }
      return .interval(interval)
    },
    format: {
      switch $0 {
      case .always: "always"
      case .interval(let interval): DurationText.format(interval)
      }
    },
    "sync before every reply, or at most once a duration")

  package static let segmentBytes = size(
    "segment-bytes", \.segmentBytes, ServerConfiguration.mebibyte...(1024 * ServerConfiguration.mebibyte),
    "size of one file of the log")

  package static let snapshotBytes = size(
    "snapshot-bytes", \.snapshotEveryBytes, live: true,
    ServerConfiguration.mebibyte...(1 << 40), mayBeOff: true, "log written between two snapshots, 0 for off")

  package static let snapshotInterval = duration(
    "snapshot-interval", \.snapshotEvery, live: true, .seconds(1) ... .seconds(365 * 86_400),
    "time between two snapshots while anything changes, 0 for off")

  package static let archiveRetention = Setting(
    "archive-retention", \.archiveRetention, value: "forever|duration", live: true,
    expected: "forever, or a duration of at least 1d, such as 3650d",
    parse: { text in
      if text.lowercased() == "forever" { return .forever }
      guard let age = DurationText.parse(text), age >= .seconds(86_400) else { return nil }
      return .atLeast(age)
    },
    format: {
      switch $0 {
      case .forever: "forever"
      case .atLeast(let age): DurationText.format(age)
      }
    },
    "how long compacted log is kept in the archive")

  package static let slowlogThreshold = integer(
    "slowlog-threshold", \.slowlogThreshold, value: "microseconds", live: true, -1...3_600_000_000,
    "commands that take longer, or wait longer for a partition, are kept in the slow log, -1 for none")

  package static let slowlogLength = integer(
    "slowlog-length", \.slowlogLength, live: true, 0...100_000, "commands that the slow log keeps")

  package static let refusalsLength = integer(
    "refusals-length", \.refusalsLength, 0...1_000_000, "refused logins that each lane keeps in memory")

  package static let clientOutputLimit = size(
    "client-output-limit", \.clientOutputLimit, live: true, ServerConfiguration.mebibyte...(1 << 34),
    "replies and requests that may wait for a client that does not read")

  package static let totalOutputLimit = size(
    "total-output-limit", \.totalOutputLimit, live: true, 16 * ServerConfiguration.mebibyte...(1 << 40),
    "replies and requests that may wait for all clients together")

  package static let addressConnections = integer(
    "address-connections", \.addressConnections, live: true, 0...1_000_000,
    "clients of one address that may be connected at once, 0 for no such limit")

  package static let serviceConnections = integer(
    "service-connections", \.serviceConnections, live: true, 0...1_000_000,
    "clients of one service that may be connected at once, 0 for no such limit; SERVICE.SET can say otherwise")

  package static let connectionCommands = integer(
    "connection-commands", \.connectionCommands, live: true, 0...1_000_000_000,
    "commands that one connection may send a second, 0 for no limit")

  package static let connectionBytes = size(
    "connection-bytes", \.connectionBytes, live: true, 1024...(1 << 40), mayBeOff: true,
    "bytes of requests that one connection may send a second, 0 for no limit")

  package static let handshakeTimeout = duration(
    "handshake-timeout", \.handshakeTimeout, live: true, .milliseconds(100) ... .seconds(3600),
    "time within which a TLS handshake must be done, 0 for no limit")

  package static let authenticationTimeout = duration(
    "auth-timeout", \.authenticationTimeout, live: true, .milliseconds(100) ... .seconds(86_400),
    "time within which a connection must authenticate where it must, 0 for no limit")

  package static let idleTimeout = duration(
    "idle-timeout", \.idleTimeout, live: true, .seconds(1) ... .seconds(365 * 86_400),
    "silence after which a connection is closed, 0 for never")

  package static let pingBeforeAuthentication = choice(
    "ping-before-auth", \.pingBeforeAuthentication, live: true, "answer PING to health checks that do not authenticate")

  package static let logLevel = choice("log-level", \.logLevel, live: true, "least important log lines to write")

  package static let logFormat = choice("log-format", \.logFormat, "form of log lines")

  package static let logStagedLimit = size(
    "log-staged-limit", \.logStagedLimit, ServerConfiguration.mebibyte...(1 << 34),
    "changes that may wait for the disk before writes are answered BUSY")

  package static let compressionLevel = integer(
    "compression-level", \.compressionLevel, value: "level", -7...19, "zstd level of the log")

  package static let clockConflict = choice(
    "clock-conflict", \.clockConflict,
    "what to believe at the start where the newest record is over a day ahead of the clock; clock: over a minute")

  package static let zoneData = Setting(
    "zone-data", \.zonePath, value: "folder",
    expected: "a path; give the folder of the time zone database",
    parse: { $0.isEmpty || $0.utf8.contains(0) ? nil : $0 },
    format: { $0 },
    "folder of the time zone database")

  package static let encryptionKeyFile = Setting(
    "encryption-key-file", \.encryptionKeyFile, value: "file|none",
    expected: "a path; give a file with 32 random bytes in hex or base64, or none",
    parse: { text -> String?? in
      if text == "none" { return .some(nil) }
      return text.isEmpty || text.utf8.contains(0) ? nil : text
    },
    format: { $0 ?? "none" },
    "file of the master key that the data folder is encrypted under")

  package static let encryptionKeyCommand = Setting(
    "encryption-key-command", \.encryptionKeyCommand, value: "command|none", mayBeSecret: true,
    expected: "a command; give one for /bin/sh that prints 32 random bytes in hex or base64, or none",
    parse: { text -> String?? in
      if text == "none" { return .some(nil) }
      return text.isEmpty || text.utf8.contains(0) ? nil : text
    },
    format: { $0 ?? "none" },
    "command that prints the master key; CONFIG GET does not show it")

  package static let passwordMemory = integer(
    "password-memory", \.passwordMemory, value: "kib", 8...4_194_304, "memory that hashing a password takes, in KiB")

  package static let passwordPasses = integer(
    "password-passes", \.passwordPasses, 1...1000, "passes over the memory when hashing a password")

  package static let passwordLanes = integer(
    "password-lanes", \.passwordLanes, 1...64, "lanes of the memory when hashing a password")

  package static let passwordThreads = Setting(
    "password-threads", \.passwordThreads, value: "n|auto",
    expected: "a whole number from 1 to 256, or auto for one on each core",
    parse: { text -> Int?? in
      if text == "auto" { return .some(nil) }
      guard let count = Int(text), (1...256).contains(count) else { return nil }
      return count
    },
    format: { $0.map { String($0) } ?? "auto" },
    "passwords hashed at a time, auto for one on each core")

  package static let passwordQueue = integer(
    "password-queue", \.passwordQueue, 0...1_000_000, "passwords that may wait to be hashed")

  package static let passwordPriority = choice(
    "password-priority", \.passwordPriority,
    "the cores that hashing passwords takes: idle ones, a low share of busy ones, or a normal share")

  package static let commonPasswords = optionalFile(
    "common-passwords", \.commonPasswordsPath,
    "file of passwords, one on a line, that nobody may choose, besides the well-known ones")

  package static let guessesPerAddress = integer(
    "guesses-per-address", \.guessesPerAddress, live: true, 0...1_000_000,
    "wrong passwords or secrets a minute from one address before it waits, 0 for any number")

  package static let guessesPerService = integer(
    "guesses-per-service", \.guessesPerService, live: true, 0...1_000_000,
    "wrong passwords a minute through one service before it waits, 0 for any number")

  package static let guessSources = integer(
    "guess-sources", \.guessSources, 8...4_194_304, "addresses and services whose wrong passwords are remembered")

  package static let replication = optionalText(
    "replication", \.replication, value: "address|none", "an address such as etcd://127.0.0.1:2379",
    "where the log is shared with other nodes: etcd://host:port,host:port, or etcds:// for TLS")

  package static let follow = choice(
    "follow", \.follow,
    "yes to only join and never begin a shared log; begin to begin one anew with this folder, after its own was lost; "
      + "alone to leave it, without replication")

  package static let nodeName = optionalText(
    "node", \.nodeName, value: "name|none", "a name without blanks",
    "the node's name, unique among the nodes; none for the machine's name and the port")

  package static let announce = Setting(
    "announce", \.announce, value: "host:port|none",
    expected: "host:port, or none",
    parse: { text -> String?? in
      if text == "none" { return .some(nil) }
      return NodeAddress(text) == nil ? nil : text
    },
    format: { $0 ?? "none" },
    "where clients reach this node; none for the address that it listens on")

  package static let clusterName = Setting(
    "cluster-name", \.clusterName, value: "name",
    expected: "a name without blanks",
    parse: { $0.isEmpty || $0.utf8.contains { $0 <= 32 } ? nil : $0 },
    format: { $0 },
    "name under which Sentinel clients ask for the leader")

  package static let maxStaleness = duration(
    "max-staleness", \.maxStaleness, live: true, .milliseconds(50) ... .seconds(3600),
    "how old news may be from which a follower answers, 0 for any age")

  package static let minLSNWait = duration(
    "min-lsn-wait", \.minLSNWait, live: true, .milliseconds(1) ... .seconds(60),
    "how long MINLSN waits for a record, 0 for not at all")

  package static let replicationUser = optionalText(
    "replication-user", \.replicationUser, value: "name|none", "a name", "user of the shared log's engine")

  package static let replicationPasswordFile = optionalFile(
    "replication-password-file", \.replicationPasswordFile, "file of that user's password")

  package static let replicationAuthority = optionalFile(
    "replication-authority", \.replicationAuthority, "PEM file of the authorities of the shared log's engine")

  package static let replicationCertificate = optionalFile(
    "replication-certificate", \.replicationCertificate, "PEM file of the certificate shown to the shared log's engine")

  package static let replicationKey = optionalFile(
    "replication-key", \.replicationKey, "PEM file of that certificate's private key")

  package static let fetchFrom = optionalText(
    "fetch-from", \.fetchFrom, value: "node|none", "a node's name or host:port",
    "node whose folder is fetched if this one has none, by name or host:port; none for the one that leads")

  package static let fetchService = optionalText(
    "fetch-service", \.fetchService, value: "name|none", "the name of a service",
    "service with ADMIN as which another node's folder is fetched; with it also after too long an absence")

  package static let fetchSecretFile = optionalFile(
    "fetch-secret-file", \.fetchSecretFile, "file of that service's secret")

  package static let fetchAuthority = optionalFile(
    "fetch-authority", \.fetchAuthority,
    "PEM file of the authorities of the other nodes' certificates; none for the system's")

  package static let fetchCertificate = optionalFile(
    "fetch-certificate", \.fetchCertificate, "PEM file of the certificate shown to the node that is fetched from")

  package static let fetchKey = optionalFile(
    "fetch-key", \.fetchKey, "PEM file of that certificate's private key")

  package static let replicationLease = duration(
    "replication-lease", \.replicationLease, .seconds(1) ... .seconds(60),
    "how long a leader that is not heard of still leads")

  package static let replicationSlow = size(
    "replication-slow", \.replicationSlow, ServerConfiguration.mebibyte...(1 << 33),
    "bytes in the shared log before writes become slower")

  package static let replicationMost = size(
    "replication-most", \.replicationMost, ServerConfiguration.mebibyte...(1 << 33),
    "bytes in the shared log before writes are answered BUSY")

  /// Every setting, in the order in which help and reference show them.
  package static let all: [Setting] = [
    data, host, port, tlsHost, tlsPort, tlsCertFile, tlsKeyFile, tlsCACertFile, tlsAuthClients, httpHost,
    httpPort, httpsHost, httpsPort, httpProxies, consoleProduct, signInDomain, webhookNetworks, webhookCACertFile,
    lanes, partitions,
    maxConnections, durability, segmentBytes, snapshotBytes, snapshotInterval,
    archiveRetention, slowlogThreshold, slowlogLength, refusalsLength, clientOutputLimit, totalOutputLimit,
    addressConnections, serviceConnections, connectionCommands, connectionBytes,
    handshakeTimeout, authenticationTimeout, idleTimeout, pingBeforeAuthentication, logLevel, logFormat, logStagedLimit,
    compressionLevel, clockConflict, zoneData, encryptionKeyFile, encryptionKeyCommand, passwordMemory, passwordPasses,
    passwordLanes, passwordThreads, passwordQueue, passwordPriority, commonPasswords, guessesPerAddress,
    guessesPerService,
    guessSources, replication, follow, nodeName, announce, clusterName, maxStaleness, minLSNWait, replicationUser,
    replicationPasswordFile, replicationAuthority, replicationCertificate, replicationKey, replicationLease,
    replicationSlow, replicationMost, fetchFrom, fetchService, fetchSecretFile, fetchAuthority, fetchCertificate,
    fetchKey,
  ]

  /// Looks a setting up by name, in any case.
  package static func named(_ name: String) -> Setting? { byName[name.lowercased()] }

  private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
}
