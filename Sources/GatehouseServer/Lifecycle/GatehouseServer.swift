import GatehouseCore
package import GatehouseStorage
import Glibc
package import Logging
import NIOCore
import ServiceLifecycle
import Synchronization

/// A Gatehouse server: opens its data folder, listens, recovers the data, serves, and shuts down in order.
///
/// It listens before the data is loaded and answers `LOADING` meanwhile. `whenReady` is called once it serves.
///
/// A node that has led and no longer does begins anew: everything from the data folder on is opened again (`Life`).
package final class GatehouseServer: Service {
  /// What one run from the data folder to its closing begins with.
  private struct Life: Sendable {
    let facts: ServerFacts
    let configuration: ServerConfiguration
  }

  private let life: Mutex<Life>
  var facts: ServerFacts { life.withLock { $0.facts } }
  var configuration: ServerConfiguration { life.withLock { $0.configuration } }
  let provider: (any SharedLogProvider)?
  /// The names of the settings that were given; all others have their defaults.
  private let given: Set<String>
  let logger: Logger
  private let fronts: [any Front]
  private let whenReady: @Sendable () -> Void
  let stopping = Stopping()
  /// Tells this process from another one that has the same name among the nodes.
  let instance = UInt64.random(in: 1 ... .max)
  private let tlsIdentity = Mutex<TLSIdentity?>(nil)

  package init(
    configuration: ServerConfiguration, given: Set<String> = [], fronts: [any Front] = [],
    provider: (any SharedLogProvider)? = nil, logger: Logger, whenReady: @escaping @Sendable () -> Void = {}
  ) {
    life = Mutex(Life(facts: ServerFacts(configuration: configuration, logger: logger), configuration: configuration))
    self.provider = provider
    self.given = given
    self.fronts = fronts
    self.logger = logger
    self.whenReady = whenReady
  }

  /// Serves until it is told to stop.
  ///
  /// - Throws: `StartFailure`, which says what to do.
  package func run() async throws {
    try await withGracefulShutdownHandler {
      while let reason = try await serveOnce() {
        logger.notice("the server starts again as a follower", metadata: ["reason": "\(reason)"])
        beginAnew()
      }
    } onGracefulShutdown: {
      self.stopping.begin()
    }
  }

  /// - Returns: why it must begin anew; nil if it was told to stop.
  private func serveOnce() async throws(StartFailure) -> String? {
    do {
      return try await serve()
    } catch {
      throw StartFailure(error)
    }
  }

  /// What was changed meanwhile stays, and so do the ports that were free.
  private func beginAnew() {
    stopping.renew()
    var next = facts.current
    next.port = facts.port.load(ordering: .relaxed)
    let anew = ServerFacts(configuration: next, logger: logger)
    // Clients that come before the node has heard who leads may take it for the leader still, and are told then.
    let lastLead = facts.node.known.lastLead
    anew.node.update { $0.lastLead = lastLead }
    life.withLock { $0 = Life(facts: anew, configuration: next) }
  }

  private func serve() async throws -> String? {
    let (configuration, facts) = (configuration, facts)
    FreeMemory.prepare()
    if !CoreFile.leaveOutMemory() {
      logger.warning("a core file of the server could have secrets in it: the kernel keeps no memory out of it")
    }
    try fitConnections()
    // Before any file is created: without time zones, nobody could tell on which day a user may log in.
    let zones = try ZoneDatabase.read(configuration.zonePath)
    let hasher = try PasswordHasher(configuration)
    let identity =
      configuration.tlsPort > 0 || configuration.httpsPort > 0 ? try TLSIdentity(configuration, facts.tls) : nil
    identity?.warnOfEnd(logger)
    tlsIdentity.withLock { $0 = identity }
    for problem in zones.problems { logger.warning("a time zone cannot be read", metadata: ["error": "\(problem)"]) }
    DescriptorReserve.shared.hold(DescriptorLimit.heldForWriting)
    defer { DescriptorReserve.shared.hold(0) }
    guard let key = try await masterKey() else {
      logger.info("stopped before there was a key")
      return nil
    }
    let existing = try openFolder(key.value)
    defer { existing?.close() }
    let laneCount = configuration.laneCount(cores: facts.coreCount)
    let lanes = try (0..<laneCount).map { try Lane(index: $0, facts: facts) }
    for lane in lanes { lane.loop.start { lane.tick() } }
    defer {
      for lane in lanes { lane.loop.stop() }
      for lane in lanes { lane.letGo() }
    }
    facts.onStop { [stopping] in stopping.begin() }
    let door = CommandDoor(facts, identity, logger: logger)
    let listeners = try listen(lanes, identity)
    do {
      for front in fronts { try await front.open(door) }
      let (folder, membership) = try await enter(existing, key.value)
      defer { folder.close() }
      for warning in folder.warnings { logger.warning("\(warning)") }
      if key.value != nil, folder.cipher.isReleased {
        logger.warning(
          "a key is given, but the folder was decrypted for good and stays so: ENCRYPTION ON encrypts it again")
      }
      let partitioning = Partitioning(folder.manifest)
      tellPartitions(partitioning.count, of: folder)
      do {
        return try await serve(folder, membership, partitioning, lanes, listeners, door, zones.table, hasher)
      } catch {
        await membership?.presence?.leave()
        throw error
      }
    } catch {
      for listener in listeners { listener.close() }
      for front in fronts { await front.close() }
      if error is CancellationError, stopping.isBegun { return nil }
      if error is CancellationError, let why = stopping.misconfiguration { throw StartFailure.configuration(why) }
      throw error
    }
  }

  /// The master key that the settings or the environment give, which may be none.
  ///
  /// - Returns: nil if the server was told to stop while a command was asked for it.
  private func masterKey() async throws -> KeyOrNone? {
    guard let source = try configuration.keySource() else { return KeyOrNone(value: nil) }
    if let warning = source.warning { logger.warning("\(warning)") }
    do {
      let key = try await withGracefulShutdownHandler {
        try await onOwnThread { [stopping] in try source.read(while: { !stopping.isBegun }) }
      } onGracefulShutdown: {
        self.stopping.begin()
      }
      return KeyOrNone(value: key)
    } catch {
      guard stopping.isBegun else { throw error }
      return nil
    }
  }

  /// The data folder; nil if it does not exist yet or is empty.
  func openFolder(_ key: MasterKey?) throws -> DataFolder? {
    if configuration.replication != nil, try Backup.finishReceiving(configuration.dataPath) {
      logger.notice(
        "the data folder of another node, which had come whole, has its name now",
        metadata: ["data": "\(configuration.dataPath)"])
    }
    do throws(FolderError) {
      return try DataFolder.open(configuration.dataPath, key: key)
    } catch .missing {
      return nil
    }
  }

  /// Creates the data folder. Called once the server listens, so that a start that fails earlier leaves no folder
  /// behind.
  func makeFolder(_ key: MasterKey?) throws(FolderError) -> DataFolder {
    let folder = try DataFolder.open(
      configuration.dataPath,
      create: FolderParameters(
        partitionCount: configuration.partitions, createdAt: UInt64(clamping: facts.clock.milliseconds)),
      key: key)
    if folder.isNew { logger.notice("made a new data folder", metadata: ["data": "\(folder.path)"]) }
    return folder
  }

  /// The number of partitions is the folder's, whatever the setting says.
  private func tellPartitions(_ count: Int, of folder: DataFolder) {
    if given.contains(Setting.partitions.name), configuration.partitions != count {
      logger.warning(
        """
        \(folder.path) has \(count) partitions, which was fixed when it was made: \
        the setting partitions \(configuration.partitions) is ignored
        """)
    }
    var settings = facts.current
    settings.partitions = count
    facts.adopt(settings)
  }

  private func serve(
    _ folder: DataFolder, _ membership: Membership?, _ partitioning: Partitioning, _ lanes: [Lane],
    _ listeners: [Listener], _ door: CommandDoor,
    _ zones: ZoneTable, _ hasher: PasswordHasher
  ) async throws -> String? {
    let (configuration, facts) = (configuration, facts)
    let opening = Opening(
      folder: folder, partitioning: partitioning, configuration: configuration, zones: zones, hasher: hasher,
      logger: logger, isFollowing: membership != nil, mayRenewKeys: membership?.place == nil)
    let context = try await opening.open(lanes, facts)
    let replicator: Replicator?
    do {
      replicator = try await membership?.begin(context)
    } catch {
      folder.closeLog(context.log)
      throw error
    }
    if facts.isExposed.load(ordering: .relaxed), !context.gate.directory.hasServices {
      folder.closeLog(context.log)
      throw StartFailure.configuration(
        "other machines can connect, and there is no service that they could authenticate "
          + "as; make the first one with `gatehousectl service create \(folder.path) NAME ADMIN`, or choose --tls-host "
          + "127.0.0.1 and --https-host 127.0.0.1")
    }
    context.replicator.withLock { $0 = replicator }
    // Broken when the context is given up: the two refer to each other.
    defer { context.replicator.withLock { $0 = nil } }
    door.begin(context)
    facts.phase.store(.ready, ordering: .releasing)
    logger.info(
      "ready",
      metadata: [
        "address": "\(listeners.map { "\($0.address)" }.joined(separator: ", "))", "lanes": "\(lanes.count)",
        "partitions": "\(partitioning.count)", "data": "\(folder.path)",
      ])
    whenReady()
    var upkeep = [
      context.start { await context.keepSnapshots() }, context.start { await context.keepMemorySmall() },
      context.start { await context.keepIndex() }, context.start { await self.keepCertificate() },
      context.start { await context.keepForgetting() }, context.start { await context.keepHeldBackups() },
    ]
    if let replicator {
      upkeep.append(
        context.start { [stopping] in if let end = await replicator.run() { stopping.end(end) } })
    } else {
      upkeep.append(context.start { await context.recordEarlierKeyChange() })
    }
    let end = await stopping.wait()
    for task in upkeep { task.cancel() }
    if facts.node.role == .deposed { await context.dropConnections() }
    await stop(context, listeners)
    if case .restart(let reason) = end { return reason }
    await replicator?.finish()
    // Checked at the very end, because the last sync may fail too.
    if case .failed(let why) = context.log.state { throw StartFailure(logFailure: why, context.log) }
    switch end {
    case .failure(let why): throw StartFailure.dataUnreadable(why)
    case .misconfigured(let why): throw StartFailure.configuration(why)
    case .restart, nil: return nil
    }
  }

  /// Shuts down in this order: stops accepting, lets requests under way finish, closes the log.
  private func stop(_ context: ServerContext, _ listeners: [Listener]) async {
    logger.info("stopping")
    for listener in listeners { listener.close() }
    facts.phase.store(.stopping, ordering: .releasing)
    context.feedReaders.stop()
    facts.directoryWatch.stop()
    for front in fronts { await front.close() }
    for lane in context.lanes { await lane.loop.submit { lane.drain() } }
    await context.settle()
    context.folder.closeLog(context.log)
    context.durableWaits.end()
    for lane in context.lanes { await lane.loop.submit { lane.closeConnections() } }
    logger.info("stopped", metadata: ["lsn": "\(context.log.durableLSN)"])
  }

  /// The port without TLS, which the system has chosen if the setting is 0.
  package var port: Int { facts.port.load(ordering: .relaxed) }

  /// Stops the server as a signal would.
  package func shutDown() { stopping.begin() }

  /// Adopts the live settings of a changed configuration.
  ///
  /// - Throws: an error if they do not fit the settings that are fixed; nothing is changed then.
  package func reload(_ changed: ServerConfiguration) throws(SettingError) {
    var changed = changed
    // The number of partitions is the folder's, whatever the configuration says.
    changed.partitions = facts.current.partitions
    let (adopted, waiting) = facts.current.adoptingLiveSettings(of: changed)
    try adopted.validate()
    let (fitting, isLowered) = facts.fitting(adopted)
    facts.adopt(fitting)
    if isLowered { warnOfFewDescriptors(adopted.maxConnections, fitting.maxConnections) }
    for setting in waiting {
      logger.warning("the setting \(setting.name) is fixed at the start; its new value waits for the next start")
    }
    logger.info("configuration reloaded")
    tlsIdentity.withLock { $0 }?.reload(logger)
  }

  // MARK: Listening

  /// Listens without TLS, and with it if it is set up. Connections are accepted once all addresses are there.
  private func listen(_ lanes: [Lane], _ identity: TLSIdentity?) throws(StartFailure) -> [Listener] {
    let plain = try listen(configuration.host, configuration.port, prefix: "", PlainEntrance())
    facts.port.store(plain.address.port ?? configuration.port, ordering: .relaxed)
    var listeners = [plain]
    if let identity {
      let sealed = try listen(
        configuration.tlsHost, configuration.tlsPort, prefix: "tls-", TLSEntrance(identity: identity))
      facts.tlsPort.store(sealed.address.port ?? configuration.tlsPort, ordering: .relaxed)
      if !sealed.address.isLoopback { facts.isExposed.store(true, ordering: .relaxed) }
      listeners.append(sealed)
    }
    for listener in listeners {
      listener.start(lanes, facts, logger: logger)
      logger.info("listening", metadata: ["address": "\(listener.address)"])
    }
    return listeners
  }

  private func listen(_ host: String, _ port: Int, prefix: String, _ entrance: some Entrance) throws(StartFailure)
    -> Listener
  {
    do {
      return try Listener(host: host, port: port, entrance: entrance)
    } catch {
      throw StartFailure(error, listeningOn: host, port, prefix: prefix)
    }
  }

  /// Reads the certificate again when its files change, and warns before it ends, until the task is cancelled.
  private func keepCertificate() async {
    guard let identity = tlsIdentity.withLock({ $0 }) else { return }
    while !Task.isCancelled {
      try? await Task.sleep(for: TLSIdentity.watchInterval)
      if Task.isCancelled { return }
      try? await onOwnThread { [logger] in
        identity.reloadIfChanged(logger)
        identity.warnOfEnd(logger)
      }
    }
  }

  /// Lowers `max-connections` to what the limit of open files allows, with a warning.
  private func fitConnections() throws {
    let wanted = configuration.maxConnections
    let (fitting, isLowered) = facts.fitting(configuration)
    guard isLowered else { return }
    guard fitting.maxConnections > 0 else {
      throw StartFailure.configuration(
        "the limit of open files leaves no room for connections beside the files of the server; raise it with ulimit -n"
      )
    }
    facts.adopt(fitting)
    warnOfFewDescriptors(wanted, fitting.maxConnections)
  }

  private func warnOfFewDescriptors(_ wanted: Int, _ allowed: Int) {
    logger.warning(
      "max-connections was lowered to what the limit of open files allows; raise the limit with ulimit -n",
      metadata: ["max-connections": "\(allowed)", "wanted": "\(wanted)"])
  }
}

/// The master key; nil if none is given.
private struct KeyOrNone: Sendable {
  let value: MasterKey?
}
