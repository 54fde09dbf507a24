import GatehouseCore
import GatehouseStorage
import Synchronization

/// `INFO`.
extension Connection {
  func info(_ request: Arguments) {
    let wanted = Set((1..<max(1, request.count)).map { request.string($0).lowercased() })
    later { context in
      let text = await InfoText(context).text(wanted)
      var reply = Reply()
      reply.verbatim(text)
      return (reply, 0)
    }
  }
}

/// The sections of `INFO`: the fields that Redis tools read, and Gatehouse's own.
struct InfoText {
  private let context: ServerContext
  private let facts: ServerFacts

  init(_ context: ServerContext) {
    self.context = context
    facts = context.facts
  }

  /// Sections that are shown only by name, or with `all` or `everything`.
  private static let detailed: Set<String> = ["commandstats", "errorstats", "latencystats"]

  func text(_ wanted: Set<String>) async -> String {
    let all = !wanted.isDisjoint(with: ["all", "everything"])
    let standard = wanted.isEmpty || wanted.contains("default") || all
    let metrics = await context.metrics()
    let state = await context.stateFigures()
    let sections: [(name: String, fields: [(String, any CustomStringConvertible)])] = [
      ("Server", server), ("Clock", clock), ("Clients", clients), ("Memory", memory), ("Persistence", persistence),
      ("TLS", tls), ("Limits", limits), ("Stats", stats(metrics)), ("Replication", replication), ("CPU", processor),
      ("Commandstats", commands(metrics)),
      ("Errorstats", errors(metrics)), ("Latencystats", latencies(metrics)),
      ("Users", users(state)), ("Passwords", passwords), ("Sessions", sessions(state)), ("Timers", timers(state)),
      ("Log", log(metrics)),
      ("Snapshot", snapshot), ("Lanes", lanes(metrics)), ("Refusals", refusals),
      ("Keyspace", [("db0", "keys=\(state.users),expires=\(state.sessions),avg_ttl=0")]),
    ]
    let shown = sections.filter { section in
      let name = section.name.lowercased()
      return wanted.contains(name) || all || (standard && !Self.detailed.contains(name))
    }
    return shown.map { section in
      "# \(section.name)\r\n" + section.fields.map { "\($0.0):\($0.1)\r\n" }.joined()
    }.joined(separator: "\r\n")
  }

  private typealias Fields = [(String, any CustomStringConvertible)]

  private var server: Fields {
    let uptime = facts.uptime
    return [
      ("redis_version", Version.redis), ("gatehouse_version", Version.current), ("redis_mode", "standalone"),
      ("os", ProcessFigures.systemName), ("arch_bits", 64), ("process_id", ProcessFigures.processID),
      ("run_id", facts.runID), ("tcp_port", facts.port.load(ordering: .relaxed)), ("uptime_in_seconds", uptime),
      ("uptime_in_days", uptime / 86_400), ("hz", 2), ("executable", ProcessFigures.executable), ("config_file", ""),
      ("data_folder", context.folder.path),
    ]
  }

  /// The server's time, and how far the machine's clock is from it.
  private var clock: Fields {
    let figures = facts.clock.figures
    return [
      ("server_time_usec", facts.clock.microseconds), ("clock_lead_ms", figures.wallLead),
      ("clock_doubted", figures.isDoubted ? 1 : 0), ("clock_jumps", figures.jumps),
      ("clock_last_jump_ms", figures.lastJump), ("clock_last_jump_time", figures.lastJumpTime),
    ]
  }

  private var clients: Fields {
    [
      ("connected_clients", facts.connectedClients.load(ordering: .relaxed)),
      ("maxclients", facts.current.maxConnections), ("blocked_clients", facts.blockedClients.load(ordering: .relaxed)),
      ("pubsub_clients", 0), ("clients_waiting_bytes", context.waitingBytes),
    ]
  }

  /// How often clients exceeded each limit.
  private var limits: Fields {
    ClientLimit.allCases.map { ("limit_\($0.name.replacing("-", with: "_"))", facts.limits[$0]) }
      + [
        ("addresses_connected", facts.addresses.count),
        ("addresses_with_wrong_secrets", facts.authenticationThrottle.count),
      ]
  }

  private var tls: Fields {
    let figures = facts.tls
    return [
      ("tls_port", facts.tlsPort.load(ordering: .relaxed)),
      ("tls_handshakes", figures.handshakes.load(ordering: .relaxed)),
      ("tls_failed_handshakes", figures.failedHandshakes.load(ordering: .relaxed)),
      ("tls_last_failure", figures.lastFailure),
      ("tls_reloads", figures.reloads.load(ordering: .relaxed)),
      ("tls_failed_reloads", figures.failedReloads.load(ordering: .relaxed)),
      ("tls_certificate_expires", figures.expires.load(ordering: .relaxed)),
    ]
  }

  private var memory: Fields {
    let resident = ProcessFigures.residentBytes
    let peak = ProcessFigures.peakBytes
    func human(_ bytes: Int) -> String { "\((Double(bytes) / 1_048_576 * 100).rounded() / 100)M" }
    return [
      ("used_memory", resident), ("used_memory_human", human(resident)), ("used_memory_rss", resident),
      ("used_memory_rss_human", human(resident)), ("used_memory_peak", peak), ("used_memory_peak_human", human(peak)),
      ("maxmemory", 0), ("maxmemory_policy", "noeviction"), ("mem_fragmentation_ratio", "1.00"),
    ]
  }

  private var persistence: Fields {
    let status = context.persistence.status
    let log = context.log.statistics
    let isOpen = context.log.state == .open
    return [
      ("loading", facts.phase.load(ordering: .relaxed) == .loading ? 1 : 0), ("async_loading", 0),
      ("rdb_changes_since_last_save", context.log.appendedLSN - min(status.lastSavedLSN, context.log.appendedLSN)),
      ("rdb_bgsave_in_progress", status.isSaving ? 1 : 0), ("rdb_last_save_time", status.lastSave),
      ("rdb_last_bgsave_status", status.lastSaveSucceeded ? "ok" : "err"),
      ("rdb_last_bgsave_time_sec", status.lastSaveSeconds < 0 ? -1 : Int(status.lastSaveSeconds.rounded(.up))),
      ("aof_enabled", 1), ("aof_current_size", log.storedBytes), ("aof_base_size", status.lastSaveBytes),
      ("aof_last_write_status", isOpen ? "ok" : "err"), ("aof_pending_bio_fsync", log.pendingBytes > 0 ? 1 : 0),
      ("aof_delayed_fsync", 0),
    ]
  }

  private func stats(_ metrics: CommandMetrics) -> Fields {
    let errors = metrics.errors.values.reduce(0, +)
    let uptime = max(1, facts.uptime)
    return [
      ("total_connections_received", facts.connectionsReceived.load(ordering: .relaxed)),
      ("total_commands_processed", metrics.total),
      ("instantaneous_ops_per_sec", facts.rate.perSecond(metrics.total, fallback: metrics.total / UInt64(uptime))),
      ("total_net_input_bytes", metrics.inputBytes),
      ("total_net_output_bytes", metrics.outputBytes),
      ("rejected_connections", facts.connectionsRejected.load(ordering: .relaxed)),
      ("accept_errors", facts.acceptErrors.load(ordering: .relaxed)),
      ("client_output_buffer_limit_disconnections", facts.outputLimitDisconnections.load(ordering: .relaxed)),
      ("evicted_clients", facts.evictedClients.load(ordering: .relaxed)), ("total_error_replies", errors),
      ("acl_access_denied_auth", facts.deniedAuthentications.load(ordering: .relaxed)),
      ("expired_keys", 0), ("evicted_keys", 0), ("keyspace_hits", 0), ("keyspace_misses", 0),
    ]
  }

  private var replication: Fields {
    [
      ("role", "master"), ("connected_slaves", 0), ("master_replid", facts.runID),
      ("master_repl_offset", context.log.durableLSN),
    ]
  }

  private var processor: Fields {
    let seconds = ProcessFigures.processorSeconds
    return [("used_cpu_sys", seconds.system), ("used_cpu_user", seconds.user)]
  }

  private func commands(_ metrics: CommandMetrics) -> Fields {
    CommandTable.entries.indices.compactMap { index in
      let line = metrics.lines[index]
      guard line.calls + line.rejected > 0 else { return nil }
      let microseconds = line.nanoseconds / 1000
      let each = line.calls == 0 ? 0 : Double(line.nanoseconds) / 1000 / Double(line.calls)
      let text =
        "calls=\(line.calls),usec=\(microseconds),usec_per_call=\(Self.rounded(each)),"
        + "rejected_calls=\(line.rejected),failed_calls=\(line.failed)"
      return ("cmdstat_\(CommandTable.entries[index].fullName)", text)
    }
  }

  private func errors(_ metrics: CommandMetrics) -> Fields {
    metrics.errors.sorted { $0.key < $1.key }.map { ("errorstat_\($0.key)", "count=\($0.value)") }
  }

  private func latencies(_ metrics: CommandMetrics) -> Fields {
    CommandTable.entries.indices.compactMap { index in
      let line = metrics.lines[index]
      guard line.calls > 0 else { return nil }
      return ("latency_percentiles_usec_\(CommandTable.entries[index].fullName)", line.times.percentiles)
    }
  }

  private static func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }

  // MARK: Gatehouse's own

  private func users(_ state: StateFigures) -> Fields { [("users", state.users), ("contacts", state.contacts)] }

  /// The hashing of passwords: how much of it runs, waits, and was refused, and the memory kept for it. Then the addresses
  /// and services that wrong passwords came from, how many are remembered at most, and how often a guess had to wait.
  private var passwords: Fields {
    let figures = context.passwordPool.figures
    let guesses = facts.guesses.figures
    return [
      ("passwords_hashing", figures.running), ("passwords_waiting", figures.waiting),
      ("passwords_refused_busy", figures.refused),
      ("passwords_kept_bytes", context.passwordHasher.threads.keptBytes),
      ("guess_sources", guesses.sources), ("guess_sources_most", guesses.capacity), ("guesses_slowed", guesses.slowed),
    ]
  }

  private func sessions(_ state: StateFigures) -> Fields {
    [
      ("sessions", state.sessions), ("impersonations", state.impersonations), ("api_keys", state.apiKeys),
      ("second_factors", state.secondFactors), ("login_challenges", state.challenges),
    ]
  }

  private func timers(_ state: StateFigures) -> Fields {
    [
      ("running_timers", state.timers), ("entries", state.entries), ("queued_mails", state.mails),
      ("dead_mails", state.deadMails), ("kept_answers", state.answers),
    ]
  }

  private func log(_ metrics: CommandMetrics) -> Fields {
    let log = context.log.statistics
    let syncs = max(1, log.syncs)
    return [
      ("log_state", "\(context.log.state)"), ("log_appended_lsn", context.log.appendedLSN),
      ("log_durable_lsn", context.log.durableLSN), ("log_synced_lsn", context.log.syncedLSN),
      ("log_frames", log.frames), ("log_records", log.records),
      ("log_raw_bytes", log.rawBytes), ("log_stored_bytes", log.storedBytes), ("log_syncs", log.syncs),
      ("log_sync_usec_average", log.syncNanoseconds / syncs / 1000),
      ("log_sync_usec_longest", log.longestSyncNanoseconds / 1000), ("log_segment", log.currentSegment),
      ("log_data_key", context.folder.cipher.currentNumber),
      ("log_pending_bytes", log.pendingBytes), ("log_index_bytes", context.logIndex.bytes),
      ("feed_waiting_readers", context.feedReaders.waitingCount), ("feed_tail_bytes", context.feedTail.bytes),
      ("log_waits", metrics.logWaits.count),
      ("log_wait_percentiles_usec", metrics.logWaits.percentiles),
      ("log_wait_usec_longest", metrics.logWaits.longest / 1000),
    ]
  }

  private var snapshot: Fields {
    let status = context.persistence.status
    return [
      ("snapshot_lsn", status.lastSavedLSN), ("snapshot_bytes", status.lastSaveBytes),
      ("snapshot_seconds", status.lastSaveSeconds), ("snapshots_taken", status.savesTaken),
      ("snapshot_last_error", status.lastError),
      ("snapshot_longest_copy_usec", status.longestCopyNanoseconds / 1000),
      ("archived_through_lsn", status.archivedThrough), ("keys_to_destroy", status.pendingKeys),
      ("key_store_nodes", context.folder.keys?.nodeCount ?? 0), ("forgotten_through_lsn", status.forgottenThrough),
      ("snapshots_renewed_through_lsn", status.renewedThrough),
    ]
  }

  /// Refused logins by reason, and by product and reason.
  private var refusals: Fields {
    let counts = context.refusalCounts
    let directory = context.gate.directory
    func text(_ reasons: RefusalCounts.Reasons) -> String {
      LoginDenial.allCases.compactMap { denial in reasons[denial].map { "\(denial.reason)=\($0)" } }
        .joined(separator: ",")
    }
    let reasons = LoginDenial.allCases.map { ("refused_\($0.reason)", counts.reasons[$0] ?? 0) }
    let products = counts.products.sorted { $0.key < $1.key }.map { id, reasons in
      ("refused_product_\(directory.product(id).map { directory.productName($0) } ?? "\(id)")", text(reasons))
    }
    return [("refused_logins", counts.total), ("refused_logins_kept", context.refusals.reduce(0) { $0 + $1.kept })]
      + reasons + products + (counts.others.isEmpty ? [] : [("refused_other_products", text(counts.others))])
  }

  private func lanes(_ metrics: CommandMetrics) -> Fields {
    [
      ("lanes", context.lanes.count), ("partitions", context.partitions.count),
      ("holds_contended", context.handles.reduce(0) { $0 + $1.lock.pointee.contended }),
      ("longest_hold_usec", context.holdFigures.longestNanoseconds / 1000),
      ("hold_wait_percentiles_usec", metrics.holdWaits.percentiles),
      ("hold_wait_usec_longest", metrics.holdWaits.longest / 1000),
    ]
  }
}
