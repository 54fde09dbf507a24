import GatehouseCore
import NIOCore
import Synchronization

/// `CONFIG …`, `SLOWLOG …`, `LATENCY …`, `MEMORY …`.
extension ConnectionHandler {
  func config(_ request: Arguments) {
    switch request.string(1).lowercased() {
    case "get" where request.count > 2:
      let current = serverFacts.current
      var found: [(String, String)] = []
      let patterns = (2..<request.count).map { Array(request.string($0).lowercased().utf8) }
      let all =
        Setting.all.map { ($0.name, $0.text(in: current)) } + RedisSettings.all.map { ($0.name, $0.text(current)) }
      for (name, value) in all
      where patterns.contains(where: { Glob.matches($0[...], Array(name.utf8)[...]) }) {
        found.append((name, value))
      }
      answer {
        $0.map(found.count)
        for (name, value) in found {
          $0.text(name)
          $0.text(value)
        }
      }
    case "set" where request.count > 3 && request.count % 2 == 0: setConfig(request)
    case "resetstat" where request.count == 2: resetStatistics()
    case "rewrite": refuse(.syntax("the server does not write its configuration; change the file and send SIGHUP"))
    case "get", "set", "resetstat": wrongArity(request)
    default: unknownSubcommand(request)
    }
  }

  /// Sets several settings, all or none.
  private func setConfig(_ request: Arguments) {
    guard facts.rights.contains(.admin) else {
      return refuse(.noPermission("the service right ADMIN, to run CONFIG SET"))
    }
    var changed = serverFacts.current
    do throws(SettingError) {
      for index in stride(from: 2, to: request.count, by: 2) {
        try changed.change(request.string(index).lowercased(), to: request.string(index + 1))
      }
    } catch {
      return refuse(.syntax("CONFIG SET failed: \(error)"))
    }
    serverFacts.adopt(changed)
    lane.services.configurationChanged(changed)
    answer { $0.ok() }
  }

  private func resetStatistics() {
    guard facts.rights.contains(.admin) else {
      return refuse(.noPermission("the service right ADMIN, to run CONFIG RESETSTAT"))
    }
    serverFacts.connectionsReceived.store(0, ordering: .relaxed)
    serverFacts.connectionsRejected.store(0, ordering: .relaxed)
    serverFacts.inputBytes.store(0, ordering: .relaxed)
    serverFacts.outputBytes.store(0, ordering: .relaxed)
    serverFacts.deniedAuthentications.store(0, ordering: .relaxed)
    later { context in
      for lane in context.lanes { try? await lane.loop.submit { lane.metrics.reset() }.get() }
      var reply = Reply()
      reply.ok()
      return (reply, 0)
    }
  }

  func slowLog(_ request: Arguments) {
    let log = lane.services.slowLog
    switch (request.string(1).lowercased(), request.count) {
    case ("len", 2): answer { $0.integer(log.count) }
    case ("reset", 2):
      log.reset()
      answer { $0.ok() }
    case ("get", 2), ("get", 3):
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
    case ("len", _), ("reset", _), ("get", _): wrongArity(request)
    default: unknownSubcommand(request)
    }
  }

  func latency(_ request: Arguments) {
    switch request.string(1).lowercased() {
    case "histogram":
      let names = Set((2..<max(2, request.count)).map { request.string($0).uppercased() })
      later { context in (Self.histogram(await context.metrics(), names), 0) }
    // There are no latency events: what takes long stands in SLOWLOG, and nothing blocks a lane.
    case "latest" where request.count == 2: answer { $0.array(0) }
    case "history" where request.count == 3: answer { $0.array(0) }
    case "reset": answer { $0.integer(0) }
    case "doctor" where request.count == 2:
      answer { $0.verbatim("See SLOWLOG GET for slow commands and INFO log for the time of syncs.\n") }
    case "latest", "history", "doctor": wrongArity(request)
    default: unknownSubcommand(request)
    }
  }

  private static func histogram(_ metrics: CommandMetrics, _ names: Set<String>) -> Reply {
    let shown = CommandTable.all.indices.filter {
      metrics.lines[$0].calls > 0 && (names.isEmpty || names.contains(CommandTable.all[$0].name))
    }
    var reply = Reply()
    reply.map(shown.count)
    for index in shown {
      let line = metrics.lines[index]
      reply.text(CommandTable.all[index].name.lowercased())
      reply.map(2)
      reply.text("calls")
      reply.integer(line.calls)
      reply.text("histogram_usec")
      // Cumulative counts by upper edge in microseconds, as Redis gives them.
      var edges: [(UInt64, UInt64)] = []
      var sum: UInt64 = 0
      for (bucket, count) in line.buckets.enumerated() where count > 0 {
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

  func memory(_ request: Arguments) {
    switch (request.string(1).lowercased(), request.count) {
    case ("usage", 3...): memoryOfUser(request)
    case ("stats", 2):
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
    case ("doctor", 2): answer { $0.verbatim("Memory follows the number of users, sessions and entries; see INFO.\n") }
    case ("usage", _), ("stats", _), ("doctor", _): wrongArity(request)
    default: unknownSubcommand(request)
    }
  }

  /// The bytes of a user's and the contact's rows with their details, and of the sessions.
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
    let contact = Int(users[serial].contact)
    let sessions = Int(users[serial].sessionCount) * (MemoryLayout<SessionRow>.stride + 8)
    return MemoryLayout<UserRow>.stride + users.withDetails(of: serial) { $0.count }
      + MemoryLayout<ContactRow>.stride + contacts.withDetails(of: contact) { $0.count } + 6 + sessions
  }
}
