import GatehouseStorage
package import Logging

/// Everything that an operator can choose about a server.
///
/// The defaults stand here. `Setting.all` is the table through which flags, environment, file and `CONFIG GET`/`CONFIG
/// SET` read and write these properties; a property without a row there cannot be set from outside.
package struct ServerConfiguration: Sendable, Equatable {
  /// When a change counts as durable, and so when its reply may leave.
  package enum Durability: Sendable, Equatable {
    /// Every reply waits until the log is synced through everything the reply shows. Nothing acknowledged is ever lost.
    case always
    /// The log is synced at most this often, and replies do not wait for it. A power loss may take back what was
    /// acknowledged within the last interval; a crash of the process alone takes back nothing.
    case interval(Duration)
  }

  /// How long the archive keeps compacted log.
  package enum Retention: Sendable, Equatable {
    case forever
    case atLeast(Duration)
  }

  /// An on/off setting, written `yes` or `no`.
  package enum Switch: String, Sendable, CaseIterable {
    case yes
    case no
  }

  /// Whether a node may begin the shared log with what its folder has.
  package enum Follow: String, Sendable, CaseIterable {
    /// If there is none, and the folder was never in one.
    case no
    /// Never: it only joins.
    case yes
    /// If there is none, though the folder was in one that is lost.
    case begin
    /// Never, and it leaves the one that the folder was in: the server is alone from now on.
    case alone
  }

  /// What a start believes if the newest record is over a day ahead of the machine's clock.
  package enum ClockConflict: String, Sendable, CaseIterable {
    /// Neither: the server does not start, and says so.
    case refuse
    /// The clock: time goes back to it. All sessions end, because the times at which they were to end are no longer
    /// believed.
    case clock
    /// The newest record: time goes on from there.
    case log
  }

  /// What the hashing of passwords gives way to.
  package enum HashingPriority: String, Sendable, CaseIterable {
    /// It runs only on cores that nothing else wants. On a machine whose cores are never idle, logins by password take
    /// long.
    case idle
    /// It gets a small share of a busy core, which other threads then may have to wait for, for some milliseconds.
    case low
    /// It shares the cores with everything else as equals.
    case normal

    var ofThread: PosixThread.Priority {
      switch self {
      case .idle: .idle
      case .low: .low
      case .normal: .normal
      }
    }
  }

  /// How log lines look on standard error.
  package enum LogFormat: String, Sendable, CaseIterable {
    case text
    case json
  }

  /// The folder of the log, the snapshots and the archive. Created if it does not exist.
  package var dataPath = "./data"

  /// The address to listen on without TLS, which must be one of this machine alone. While no service is defined, only
  /// clients on loopback are served.
  package var host = "127.0.0.1"

  /// The TCP port to listen on; 0 takes any free one, which the log names.
  package var port = 7420

  /// The address and TCP port to listen on with TLS; port 0 means not at all. Beyond this machine there must be a service
  /// to authenticate as.
  package var tlsHost = "127.0.0.1"
  package var tlsPort = 0

  /// PEM files of the server's certificate (with those between it and the root) and of its key. They are read again on
  /// SIGHUP and when they change.
  package var tlsCertFile: String?
  package var tlsKeyFile: String?

  /// A PEM file of the authorities whose client certificates are believed; nil if clients have none.
  package var tlsCACertFile: String?

  /// Whether clients must show a certificate.
  package var tlsAuthClients = ClientCertificates.optional

  /// Whether the TLS listener asks its clients for a certificate.
  package enum ClientCertificates: String, Sendable, CaseIterable {
    case yes
    case no
    /// If there is a file of authorities, a client may show one, and one that it shows must be valid.
    case optional
  }

  /// The address and TCP port to serve HTTP on without TLS; port 0 means not at all. The address must be one of this
  /// machine alone.
  package var httpHost = "127.0.0.1"
  package var httpPort = 7421

  /// The address and TCP port to serve HTTP on with TLS, with the same certificate; port 0 means not at all.
  package var httpsHost = "127.0.0.1"
  package var httpsPort = 0

  /// The proxies in front of the HTTP side that are believed who their requests are from.
  package var httpProxies = NetworkList.none

  /// The product whose people may open the administrators' console.
  package var consoleProduct = "console"

  /// The domain whose hosts share the session of the sign-in at applications behind a proxy; nil if each has its own.
  package var signInDomain: String?

  /// To which addresses webhooks may connect, and a PEM file of the authorities that their receivers' certificates are
  /// believed from; nil for those of the system.
  package var webhookNetworks = NetworkList.public
  package var webhookCACertFile: String?

  /// How many event-loop threads serve; nil means one less than the cores, and at least one. The log writer needs a
  /// core of its own to sync while the lanes decide.
  package var lanes: Int?

  /// How many partitions the state is divided into, a power of two. It takes effect only when the data folder is
  /// created, because every id carries its partition. Later starts read it from the folder's manifest, and warn if this
  /// setting says otherwise.
  ///
  /// 256, so that two lanes seldom want the same partition. Compared with 64 (the count in folders of earlier
  /// versions), 256 took 0.1 MB more memory and, with one and two lanes, 0 to 6 % more server time a command, which is
  /// within the noise.
  package var partitions = FolderParameters.usualPartitions

  /// How many clients may be connected at once. A further one gets an error and is closed.
  package var maxConnections = 10_000

  package var durability = Durability.always

  /// The size of a log segment. Segments are preallocated on disk.
  package var segmentBytes = 64 * mebibyte

  /// Take a snapshot once this many bytes of log were written since the last one; 0 turns this trigger off.
  package var snapshotEveryBytes = 256 * mebibyte

  /// Take a snapshot this long after the last one if anything changed; zero turns this trigger off.
  package var snapshotEvery: Duration = .seconds(3600)

  /// How long the archive keeps log that snapshots cover. The log is the audit trail, so nothing is deleted unless an
  /// operator has set a limit.
  package var archiveRetention = Retention.forever

  /// A command that takes longer than this many microseconds on its lane goes into the slow log; −1 turns the slow log
  /// off.
  package var slowlogThreshold = 10_000

  /// How many commands the slow log keeps; a new one replaces the oldest.
  package var slowlogLength = 128

  /// How many refused logins each lane keeps; a new one replaces the oldest. Each takes 168 bytes, allocated at the
  /// start.
  package var refusalsLength = 1000

  /// How many bytes of replies and unread requests together may wait for one client that does not read its replies
  /// before it is disconnected. A client that keeps reading is not disconnected, however large its replies are.
  package var clientOutputLimit = 64 * mebibyte

  /// How many bytes may wait for all clients together. Beyond it clients are disconnected: first those that have
  /// stopped reading, and among them the one with the most bytes first.
  package var totalOutputLimit = 512 * mebibyte

  /// How many clients of one address (of IPv6: one /64 network) may be connected at once, and how many of one service; 0
  /// means as many as `maxConnections`. Of a client behind one of `httpProxies` requests under way count instead. Off by
  /// default: behind another proxy all clients have one address.
  package var addressConnections = 0
  package var serviceConnections = 0

  /// How many commands, and bytes of requests, one connection may send a second; 0 means as many as it likes.
  package var connectionCommands = 0
  package var connectionBytes = 0

  /// How long a TLS handshake may take, and how long a client may take to authenticate where it must; zero means for
  /// ever.
  package var handshakeTimeout: Duration = .seconds(10)
  package var authenticationTimeout: Duration = .seconds(60)

  /// A connection that sends nothing for this long is closed; zero means never.
  package var idleTimeout: Duration = .zero

  /// Whether `PING` is answered before authentication: health checks of proxies cannot authenticate.
  package var pingBeforeAuthentication = Switch.no

  package var logLevel = Logger.Level.info

  package var logFormat = LogFormat.text

  /// How many bytes of encoded changes may wait for the log writer. Beyond it writes are answered `BUSY` until the disk
  /// has caught up, so that a slow disk cannot exhaust the memory.
  package var logStagedLimit = 64 * mebibyte

  /// The zstd level of log frames: higher is smaller and slower. The archive is recompressed in the background at a
  /// level of its own.
  package var compressionLevel = -1

  package var clockConflict = ClockConflict.refuse

  /// What hashing a password with Argon2id costs: kibibytes of memory, passes over it, and lanes. The defaults are the
  /// least that OWASP recommends (Password Storage Cheat Sheet, 2024). Hashes made with others are made anew at the
  /// next login.
  package var passwordMemory = 19_456
  package var passwordPasses = 2
  package var passwordLanes = 1

  /// How many passwords are hashed at a time; nil means one on each core.
  package var passwordThreads: Int?

  /// How many passwords may wait to be hashed. More are answered `BUSY`, as are those that would wait over a second.
  package var passwordQueue = 100_000

  package var passwordPriority = HashingPriority.idle

  /// A file of passwords that nobody may choose, one on a line; nil for none but the well-known ones.
  package var commonPasswordsPath: String?

  /// How many wrong passwords a minute are looked at from one address that a service tells, and through one service; 0 for
  /// any number. Then they wait, the right ones too. Wrong secrets of services wait by the address of the connection.
  package var guessesPerAddress = 30
  package var guessesPerService = 600

  /// How many addresses and services with wrong guesses are remembered, in 48 bytes each, allocated at the start.
  package var guessSources = 16_384

  /// Where the master key of the data folder is read from; at most one of the two. With neither, and no
  /// `GATEHOUSE_ENCRYPTION_KEY` in the environment, a new folder is not encrypted.
  package var encryptionKeyFile: String?
  package var encryptionKeyCommand: String?

  /// The folder of the time zone database, which the package tzdata installs.
  package var zonePath = "/usr/share/zoneinfo"

  /// Where the log is shared with other nodes, such as `etcd://host:2379,host:2379`; nil for a server of its own.
  package var replication: String?

  package var follow = Follow.no

  /// The node's name, unique among the nodes; nil for the machine's name and the port. And where clients and other nodes
  /// reach it, `host:port`; nil for the address that it listens on.
  package var nodeName: String?
  package var announce: String?

  /// The name under which clients ask Redis Sentinel's commands for the leader.
  package var clusterName = "gatehouse"

  /// How old news may be from which a follower answers.
  package var maxStaleness: Duration = .seconds(1)

  /// How long a command with `MINLSN` waits for the record.
  package var minLSNWait: Duration = .seconds(1)

  /// As whom the node authenticates at the engine that keeps the shared log, and how it is known to be the right one.
  package var replicationUser: String?
  package var replicationPasswordFile: String?
  package var replicationAuthority: String?
  package var replicationCertificate: String?
  package var replicationKey: String?

  /// Where another node's folder is fetched from if this one has none, or one that was away for too long: a node's name, or
  /// `host:port`; nil for the node that leads.
  package var fetchFrom: String?

  /// As whom it is fetched. With TLS, if this server listens with TLS too or one of the files for it is given.
  package var fetchService: String?
  package var fetchSecretFile: String?
  package var fetchAuthority: String?
  package var fetchCertificate: String?
  package var fetchKey: String?

  /// For how long a leader that is not heard of still leads.
  package var replicationLease: Duration = .seconds(5)

  /// How many bytes the shared log keeps before writes become slower, and before they are refused.
  package var replicationSlow = 512 * mebibyte
  package var replicationMost = 1024 * mebibyte

  package init() {}

  static let mebibyte = 1 << 20
}

extension ServerConfiguration {
  /// The number of lanes on a machine of `cores` cores.
  package func laneCount(cores: Int) -> Int {
    min(lanes ?? max(1, cores - 1), partitions)
  }

  /// Where the master key is read from; nil if it is given nowhere.
  func keySource() throws(EncryptionError) -> KeySource? {
    try KeySource.chosen(file: encryptionKeyFile, command: encryptionKeyCommand)
  }

  /// Checks the rules that span several settings.
  package func validate() throws(SettingError) {
    if let lanes, lanes > partitions {
      throw SettingError(
        setting: Setting.lanes.name, value: "\(lanes)",
        problem: "is more than the \(partitions) partitions that lanes share; give at most as many lanes as partitions")
    }
    if tlsPort > 0 || httpsPort > 0 {
      let port = tlsPort > 0 ? Setting.tlsPort : .httpsPort
      for (setting, path) in [(Setting.tlsCertFile, tlsCertFile), (Setting.tlsKeyFile, tlsKeyFile)] where path == nil {
        throw SettingError(
          setting: setting.name, value: "none", problem: "is not enough for \(port.name); give the PEM file")
      }
      if tlsAuthClients == .yes, tlsCACertFile == nil {
        throw SettingError(
          setting: Setting.tlsAuthClients.name, value: "yes",
          problem: "needs tls-ca-cert-file, the authorities whose client certificates are believed; give that file, or "
            + "optional or no here")
      }
    }
    if replication != nil, durability != .always {
      throw SettingError(
        setting: Setting.durability.name, value: Setting.durability.text(in: self),
        problem: "would acknowledge what another node does not have; give always, or no replication")
    }
    if replication != nil, clockConflict == .clock {
      throw SettingError(
        setting: Setting.clockConflict.name, value: clockConflict.rawValue,
        problem: "would set the time back on one node of several; give refuse or log, or no replication")
    }
    if replicationSlow > replicationMost {
      throw SettingError(
        setting: Setting.replicationSlow.name, value: Setting.replicationSlow.text(in: self),
        problem: "is more than \(Setting.replicationMost.name); give less")
    }
    if follow == .alone, replication != nil {
      throw SettingError(
        setting: Setting.follow.name, value: follow.rawValue,
        problem: "is for a server that leaves its cluster; leave \(Setting.replication.name) out, or give no or yes")
    }
    for setting in [Setting.fetchFrom, .fetchService, .fetchSecretFile, .fetchAuthority, .fetchCertificate, .fetchKey]
    where replication == nil && setting.text(in: self) != setting.defaultText {
      throw SettingError(
        setting: setting.name, value: setting.text(in: self), problem: "needs \(Setting.replication.name); give it, too"
      )
    }
    if (fetchService == nil) != (fetchSecretFile == nil) {
      let (given, missing) =
        fetchService == nil
        ? (Setting.fetchSecretFile, Setting.fetchService) : (Setting.fetchService, Setting.fetchSecretFile)
      throw SettingError(
        setting: given.name, value: given.text(in: self), problem: "needs \(missing.name); give it, too")
    }
    if follow != .no, follow != .alone, replication == nil {
      throw SettingError(
        setting: Setting.follow.name, value: follow.rawValue, problem: "needs \(Setting.replication.name); give it, too"
      )
    }
    if snapshotEveryBytes != 0, snapshotEveryBytes < segmentBytes {
      throw SettingError(
        setting: Setting.snapshotBytes.name, value: Setting.snapshotBytes.text(in: self),
        problem: "is less than one segment of \(Setting.segmentBytes.text(in: self)), the least that a snapshot can "
          + "free; give at least \(Setting.segmentBytes.name), or 0 to turn this trigger off")
    }
  }

  /// This configuration with the values of `other` for all settings that can change in a running server.
  ///
  /// - Returns: the result, and the changed settings that take effect only at the next start.
  package func adoptingLiveSettings(of other: ServerConfiguration) -> (ServerConfiguration, waiting: [Setting]) {
    var adopted = self
    var waiting: [Setting] = []
    for setting in Setting.all where setting.text(in: other) != setting.text(in: self) {
      if setting.isLive {
        setting.copy(from: other, into: &adopted)
      } else {
        waiting.append(setting)
      }
    }
    return (adopted, waiting)
  }
}
