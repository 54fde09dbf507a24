import GatehouseCore
import Synchronization

/// `CONFIG …`, `SLOWLOG …`, `LATENCY …`, `MEMORY …`.
extension Connection {
  func config(_ command: ServerCommand.Config, _ request: Arguments) {
    switch command {
    case .get: getConfig(request)
    case .set: setConfig(request)
    case .resetStatistics: resetStatistics()
    case .rewrite: refuse(.syntax("the server does not write its configuration; change the file and send SIGHUP"))
    }
  }

  private func getConfig(_ request: Arguments) {
    guard request.count - 2 <= Limits.patterns else {
      return refuse(.limit("patterns: at most \(Limits.patterns)"))
    }
    var patterns: [[UInt8]] = []
    for word in 2..<request.count {
      guard let pattern = Glob.pattern(request[word]) else { return refuse(Glob.tooLong) }
      patterns.append(pattern)
    }
    let found = serverFacts.current.shownSettings.filter { name, _ in
      patterns.contains { Glob.matches($0[...], Array(name.utf8)[...]) }
    }
    answer {
      $0.map(found.count)
      for (name, value) in found {
        $0.text(name)
        $0.text(value)
      }
    }
  }

  /// Sets several settings, all or none.
  private func setConfig(_ request: Arguments) {
    guard request.count % 2 == 0 else { return refuse(.syntax("syntax error")) }
    let asked = stride(from: 2, to: request.count, by: 2).map { (request.string($0), request.string($0 + 1)) }
    var changed = serverFacts.current
    do throws(SettingError) {
      try changed.change(asked)
    } catch {
      return refuse(.syntax(error.replyToConfigSet))
    }
    let (fitting, isLowered) = serverFacts.fitting(changed)
    guard !isLowered else {
      return refuse(
        .syntax(
          "CONFIG SET failed: the limit of open files allows \(fitting.maxConnections) connections; "
            + "raise it with ulimit -n and start the server again"))
    }
    serverFacts.adopt(changed)
    lane.services.configurationChanged(changed)
    answer { $0.ok() }
  }

  private func resetStatistics() {
    serverFacts.connectionsReceived.store(0, ordering: .relaxed)
    serverFacts.connectionsRejected.store(0, ordering: .relaxed)
    serverFacts.deniedAuthentications.store(0, ordering: .relaxed)
    serverFacts.limits.reset()
    later { context in
      await context.resetMetrics()
      var reply = Reply()
      reply.ok()
      return (reply, 0)
    }
  }

  func slowLog(_ command: ServerCommand.SlowLog, _ request: Arguments) {
    let log = lane.services.slowLog
    switch command {
    case .length: answer { $0.integer(log.count) }
    case .reset:
      log.reset()
      answer { $0.ok() }
    case .get:
      let count = request.count == 3 ? Int(request.string(2)) : 10
      guard let count, count >= -1 else { return refuse(.syntax("count should be greater than or equal to -1")) }
      let entries = log.newest(count < 0 ? .max : count)
      answer {
        $0.array(entries.count)
        for entry in entries {
          $0.array(6)
          $0.integer(entry.id)
          $0.integer(entry.time)
          $0.integer(entry.microseconds)
          $0.array(entry.words.count)
          for word in entry.words { $0.text(word) }
          $0.text(entry.client)
          $0.text(entry.name)
        }
      }
    }
  }

  func latency(_ command: ServerCommand.Latency, _ request: Arguments) {
    switch command {
    case .histogram:
      let named = (2..<request.count).compactMap { CommandTable.index.find(fullName: request[$0]) }
      let wanted = named.flatMap { [CommandTable.entries[$0]] + CommandTable.entries[$0].subcommands }.map(\.name)
      let names = request.count > 2 ? Set(wanted) : nil
      later { context in (Self.histogram(await context.metrics(), names), 0) }
    // There are no latency events: slow commands are in SLOWLOG, and nothing blocks a lane.
    case .latest, .history: answer { $0.array(0) }
    case .reset: answer { $0.integer(0) }
    case .doctor: answer { $0.verbatim("See SLOWLOG GET for slow commands and INFO log for the time of syncs.\n") }
    }
  }

  /// - Parameter names: the commands to show; nil for all.
  private static func histogram(_ metrics: CommandMetrics, _ names: Set<String>?) -> Reply {
    let shown = CommandTable.entries.indices.filter {
      metrics.lines[$0].calls > 0 && (names?.contains(CommandTable.entries[$0].name) ?? true)
    }
    var reply = Reply()
    reply.map(shown.count)
    for index in shown {
      let line = metrics.lines[index]
      reply.text(CommandTable.entries[index].fullName)
      reply.map(2)
      reply.text("calls")
      reply.integer(line.calls)
      reply.text("histogram_usec")
      // Cumulative counts by upper edge in microseconds, as in Redis.
      var edges: [(UInt64, UInt64)] = []
      var sum: UInt64 = 0
      for (bucket, count) in line.times.buckets.enumerated() where count > 0 {
        sum += count
        let edge = max(1, (UInt64(1) << UInt64(min(bucket, 62))) / 1000)
        if edges.last?.0 == edge { edges[edges.count - 1].1 = sum } else { edges.append((edge, sum)) }
      }
      reply.map(edges.count)
      for (edge, count) in edges {
        reply.integer(edge)
        reply.integer(count)
      }
    }
    return reply
  }

  func memory(_ command: ServerCommand.Memory, _ request: Arguments) {
    switch command {
    case .usage: memoryOfUser(request)
    case .statistics:
      later { context in
        let figures = await context.stateFigures()
        var reply = Reply()
        reply.map(3)
        reply.text("peak.allocated")
        reply.integer(ProcessFigures.peakBytes)
        reply.text("total.allocated")
        reply.integer(ProcessFigures.residentBytes)
        reply.text("users.count")
        reply.integer(figures.users)
        return (reply, figures.lsn)
      }
    case .doctor: answer { $0.verbatim("Memory follows the number of users, sessions and entries; see INFO.\n") }
    }
  }

  /// The bytes of a user's and its contact's rows with their details, and of the user's sessions.
  private func memoryOfUser(_ request: Arguments) {
    let name = request.string(2)
    later { context in
      var reply = Reply()
      var found = await context.user(named: name)
      if name.hasPrefix("#") {
        found.id = Array(name.utf8).withUnsafeBytes { Turn.identifier($0) }.map { UserID(raw: $0) }
      }
      guard let id = found.id else {
        reply.null()
        return (reply, found.lsn)
      }
      let (bytes, lsn) = await context.read(context.partitioning.partition(of: id)) { state in
        (state.serial(of: id).map { state.bytes(ofUser: $0) }, state.lsn)
      }
      if let bytes { reply.integer(bytes) } else { reply.null() }
      return (reply, max(found.lsn, lsn))
    }
  }
}

extension PartitionState {
  fileprivate func bytes(ofUser serial: Int) -> Int {
    let contact = Int(people.users[serial].contact)
    let sessions = Int(people.users[serial].sessionCount) * (MemoryLayout<SessionRow>.stride + 8)
    return MemoryLayout<UserRow>.stride + people.users.withDetails(of: serial) { $0.count }
      + MemoryLayout<ContactRow>.stride + people.contacts.withDetails(of: contact) { $0.count } + 6 + sessions
  }
}
