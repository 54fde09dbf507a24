import ArgumentParser
import GatehouseServer

/// One flag for every setting. Names, placeholders and help texts come from the table. Values stay texts here; the
/// table parses them, like those of the environment and the file.
struct SettingFlags: ParsableArguments {
  @Option(name: .of(.data), help: .of(.data)) var data: String?
  @Option(name: .of(.host), help: .of(.host)) var host: String?
  @Option(name: .of(.port), help: .of(.port)) var port: String?
  @Option(name: .of(.tlsHost), help: .of(.tlsHost)) var tlsHost: String?
  @Option(name: .of(.tlsPort), help: .of(.tlsPort)) var tlsPort: String?
  @Option(name: .of(.tlsCertFile), help: .of(.tlsCertFile)) var tlsCertFile: String?
  @Option(name: .of(.tlsKeyFile), help: .of(.tlsKeyFile)) var tlsKeyFile: String?
  @Option(name: .of(.tlsCACertFile), help: .of(.tlsCACertFile)) var tlsCACertFile: String?
  @Option(name: .of(.tlsAuthClients), help: .of(.tlsAuthClients)) var tlsAuthClients: String?
  @Option(name: .of(.httpHost), help: .of(.httpHost)) var httpHost: String?
  @Option(name: .of(.httpPort), help: .of(.httpPort)) var httpPort: String?
  @Option(name: .of(.httpsHost), help: .of(.httpsHost)) var httpsHost: String?
  @Option(name: .of(.httpsPort), help: .of(.httpsPort)) var httpsPort: String?
  @Option(name: .of(.httpProxies), help: .of(.httpProxies)) var httpProxies: String?
  @Option(name: .of(.consoleProduct), help: .of(.consoleProduct)) var consoleProduct: String?
  @Option(name: .of(.signInDomain), help: .of(.signInDomain)) var signInDomain: String?
  @Option(name: .of(.webhookNetworks), help: .of(.webhookNetworks)) var webhookNetworks: String?
  @Option(name: .of(.webhookCACertFile), help: .of(.webhookCACertFile)) var webhookCACertFile: String?
  @Option(name: .of(.lanes), help: .of(.lanes)) var lanes: String?
  @Option(name: .of(.partitions), help: .of(.partitions)) var partitions: String?
  @Option(name: .of(.maxConnections), help: .of(.maxConnections)) var maxConnections: String?
  @Option(name: .of(.durability), help: .of(.durability)) var durability: String?
  @Option(name: .of(.segmentBytes), help: .of(.segmentBytes)) var segmentBytes: String?
  @Option(name: .of(.snapshotBytes), help: .of(.snapshotBytes)) var snapshotBytes: String?
  @Option(name: .of(.snapshotInterval), help: .of(.snapshotInterval)) var snapshotInterval: String?
  @Option(name: .of(.archiveRetention), help: .of(.archiveRetention)) var archiveRetention: String?
  @Option(name: .of(.slowlogThreshold), help: .of(.slowlogThreshold)) var slowlogThreshold: String?
  @Option(name: .of(.slowlogLength), help: .of(.slowlogLength)) var slowlogLength: String?
  @Option(name: .of(.refusalsLength), help: .of(.refusalsLength)) var refusalsLength: String?
  @Option(name: .of(.clientOutputLimit), help: .of(.clientOutputLimit)) var clientOutputLimit: String?
  @Option(name: .of(.totalOutputLimit), help: .of(.totalOutputLimit)) var totalOutputLimit: String?
  @Option(name: .of(.addressConnections), help: .of(.addressConnections)) var addressConnections: String?
  @Option(name: .of(.serviceConnections), help: .of(.serviceConnections)) var serviceConnections: String?
  @Option(name: .of(.connectionCommands), help: .of(.connectionCommands)) var connectionCommands: String?
  @Option(name: .of(.connectionBytes), help: .of(.connectionBytes)) var connectionBytes: String?
  @Option(name: .of(.handshakeTimeout), help: .of(.handshakeTimeout)) var handshakeTimeout: String?
  @Option(name: .of(.authenticationTimeout), help: .of(.authenticationTimeout)) var authenticationTimeout: String?
  @Option(name: .of(.idleTimeout), help: .of(.idleTimeout)) var idleTimeout: String?
  @Option(name: .of(.pingBeforeAuthentication), help: .of(.pingBeforeAuthentication))
  var pingBeforeAuthentication: String?
  @Option(name: .of(.logLevel), help: .of(.logLevel)) var logLevel: String?
  @Option(name: .of(.logFormat), help: .of(.logFormat)) var logFormat: String?
  @Option(name: .of(.logStagedLimit), help: .of(.logStagedLimit)) var logStagedLimit: String?
  @Option(name: .of(.compressionLevel), help: .of(.compressionLevel)) var compressionLevel: String?
  @Option(name: .of(.clockConflict), help: .of(.clockConflict)) var clockConflict: String?
  @Option(name: .of(.zoneData), help: .of(.zoneData)) var zoneData: String?
  @Option(name: .of(.encryptionKeyFile), help: .of(.encryptionKeyFile)) var encryptionKeyFile: String?
  @Option(name: .of(.encryptionKeyCommand), help: .of(.encryptionKeyCommand)) var encryptionKeyCommand: String?
  @Option(name: .of(.passwordMemory), help: .of(.passwordMemory)) var passwordMemory: String?
  @Option(name: .of(.passwordPasses), help: .of(.passwordPasses)) var passwordPasses: String?
  @Option(name: .of(.passwordLanes), help: .of(.passwordLanes)) var passwordLanes: String?
  @Option(name: .of(.passwordThreads), help: .of(.passwordThreads)) var passwordThreads: String?
  @Option(name: .of(.passwordQueue), help: .of(.passwordQueue)) var passwordQueue: String?
  @Option(name: .of(.passwordPriority), help: .of(.passwordPriority)) var passwordPriority: String?
  @Option(name: .of(.commonPasswords), help: .of(.commonPasswords)) var commonPasswords: String?
  @Option(name: .of(.guessesPerAddress), help: .of(.guessesPerAddress)) var guessesPerAddress: String?
  @Option(name: .of(.guessesPerService), help: .of(.guessesPerService)) var guessesPerService: String?
  @Option(name: .of(.guessSources), help: .of(.guessSources)) var guessSources: String?
  @Option(name: .of(.replication), help: .of(.replication)) var replication: String?
  @Option(name: .of(.follow), help: .of(.follow)) var follow: String?
  @Option(name: .of(.nodeName), help: .of(.nodeName)) var nodeName: String?
  @Option(name: .of(.announce), help: .of(.announce)) var announce: String?
  @Option(name: .of(.clusterName), help: .of(.clusterName)) var clusterName: String?
  @Option(name: .of(.maxStaleness), help: .of(.maxStaleness)) var maxStaleness: String?
  @Option(name: .of(.minLSNWait), help: .of(.minLSNWait)) var minLSNWait: String?
  @Option(name: .of(.replicationUser), help: .of(.replicationUser)) var replicationUser: String?
  @Option(name: .of(.replicationPasswordFile), help: .of(.replicationPasswordFile))
  var replicationPasswordFile: String?
  @Option(name: .of(.replicationAuthority), help: .of(.replicationAuthority)) var replicationAuthority: String?
  @Option(name: .of(.replicationCertificate), help: .of(.replicationCertificate)) var replicationCertificate: String?
  @Option(name: .of(.replicationKey), help: .of(.replicationKey)) var replicationKey: String?
  @Option(name: .of(.replicationLease), help: .of(.replicationLease)) var replicationLease: String?
  @Option(name: .of(.replicationSlow), help: .of(.replicationSlow)) var replicationSlow: String?
  @Option(name: .of(.replicationMost), help: .of(.replicationMost)) var replicationMost: String?
  @Option(name: .of(.fetchFrom), help: .of(.fetchFrom)) var fetchFrom: String?
  @Option(name: .of(.fetchService), help: .of(.fetchService)) var fetchService: String?
  @Option(name: .of(.fetchSecretFile), help: .of(.fetchSecretFile)) var fetchSecretFile: String?
  @Option(name: .of(.fetchAuthority), help: .of(.fetchAuthority)) var fetchAuthority: String?
  @Option(name: .of(.fetchCertificate), help: .of(.fetchCertificate)) var fetchCertificate: String?
  @Option(name: .of(.fetchKey), help: .of(.fetchKey)) var fetchKey: String?

  /// The settings that were given.
  var given: [(setting: Setting, value: String)] {
    let all: [(Setting, String?)] = [
      (.data, data), (.host, host), (.port, port), (.tlsHost, tlsHost), (.tlsPort, tlsPort),
      (.tlsCertFile, tlsCertFile), (.tlsKeyFile, tlsKeyFile), (.tlsCACertFile, tlsCACertFile),
      (.tlsAuthClients, tlsAuthClients), (.httpHost, httpHost), (.httpPort, httpPort), (.httpsHost, httpsHost),
      (.httpsPort, httpsPort), (.httpProxies, httpProxies), (.consoleProduct, consoleProduct),
      (.signInDomain, signInDomain),
      (.webhookNetworks, webhookNetworks),
      (.webhookCACertFile, webhookCACertFile), (.lanes, lanes), (.partitions, partitions),
      (.maxConnections, maxConnections), (.durability, durability), (.segmentBytes, segmentBytes),
      (.snapshotBytes, snapshotBytes), (.snapshotInterval, snapshotInterval), (.archiveRetention, archiveRetention),
      (.slowlogThreshold, slowlogThreshold), (.slowlogLength, slowlogLength), (.refusalsLength, refusalsLength),
      (.clientOutputLimit, clientOutputLimit),
      (.totalOutputLimit, totalOutputLimit), (.idleTimeout, idleTimeout),
      (.addressConnections, addressConnections), (.serviceConnections, serviceConnections),
      (.connectionCommands, connectionCommands), (.connectionBytes, connectionBytes),
      (.handshakeTimeout, handshakeTimeout),
      (.authenticationTimeout, authenticationTimeout),
      (.pingBeforeAuthentication, pingBeforeAuthentication), (.logLevel, logLevel), (.logFormat, logFormat),
      (.logStagedLimit, logStagedLimit), (.compressionLevel, compressionLevel), (.clockConflict, clockConflict),
      (.zoneData, zoneData), (.encryptionKeyFile, encryptionKeyFile), (.encryptionKeyCommand, encryptionKeyCommand),
      (.passwordMemory, passwordMemory), (.passwordPasses, passwordPasses),
      (.passwordLanes, passwordLanes), (.passwordThreads, passwordThreads), (.passwordQueue, passwordQueue),
      (.passwordPriority, passwordPriority),
      (.commonPasswords, commonPasswords), (.guessesPerAddress, guessesPerAddress),
      (.guessesPerService, guessesPerService), (.guessSources, guessSources),
    ]
    let ofCluster: [(Setting, String?)] = [
      (.replication, replication), (.follow, follow), (.nodeName, nodeName), (.announce, announce),
      (.clusterName, clusterName), (.maxStaleness, maxStaleness), (.minLSNWait, minLSNWait),
      (.replicationUser, replicationUser), (.replicationPasswordFile, replicationPasswordFile),
      (.replicationAuthority, replicationAuthority), (.replicationCertificate, replicationCertificate),
      (.replicationKey, replicationKey), (.replicationLease, replicationLease), (.replicationSlow, replicationSlow),
      (.replicationMost, replicationMost), (.fetchFrom, fetchFrom), (.fetchService, fetchService),
      (.fetchSecretFile, fetchSecretFile), (.fetchAuthority, fetchAuthority), (.fetchCertificate, fetchCertificate),
      (.fetchKey, fetchKey),
    ]
    return (all + ofCluster).compactMap { setting, value in value.map { (setting, $0) } }
  }
}

extension NameSpecification {
  static func of(_ setting: Setting) -> NameSpecification { .customLong(setting.name) }
}

extension ArgumentHelp {
  static func of(_ setting: Setting) -> ArgumentHelp {
    ArgumentHelp("\(setting.summary) (default: \(setting.defaultText))", valueName: setting.valueName)
  }
}
