import GatehouseCore
import GatehouseStorage
import Synchronization

/// All figures of the server in sections: the fields that Redis tools read, and Gatehouse's own. `INFO` and `/metrics`
/// both show them from here.
struct ServerFigures {
  struct Section {
    let name: String
    /// Made only for who wants them.
    let figures: () -> [Figure]
  }

  let sections: [Section]

  init(_ context: ServerContext) async {
    self.init(context, await context.metrics(), await context.stateFigures())
  }

  private init(_ context: ServerContext, _ metrics: CommandMetrics, _ state: StateFigures) {
    let server = ServerSections(context: context, facts: context.facts)
    let data = DataSections(context: context, facts: context.facts)
    let commands = CommandSections(metrics: metrics, requests: context.facts.requests)
    let logins = LoginSections(context: context, metrics: metrics)
    sections = [
      Section(name: "Server") { server.server },
      Section(name: "Clock") { server.clock },
      Section(name: "Clients") { server.clients },
      Section(name: "Memory") { server.memory },
      Section(name: "Persistence") { server.persistence },
      Section(name: "TLS") { server.tls },
      Section(name: "Limits") { server.limits },
      Section(name: "Stats") { server.stats(metrics) },
      Section(name: "Replication") { ReplicationSection(context: context).figures },
      Section(name: "CPU") { server.processor },
      Section(name: "Commandstats") { commands.commands },
      Section(name: "Errorstats") { commands.errors },
      Section(name: "Latencystats") { commands.latencies },
      Section(name: "HTTP") { commands.http },
      Section(name: "Httpstats") { commands.routes },
      Section(name: "Users") { data.users(state) },
      Section(name: "Passwords") { data.passwords },
      Section(name: "Sessions") { data.sessions(state) },
      Section(name: "Timers") { data.timers(state) },
      Section(name: "Log") { data.log(metrics) },
      Section(name: "Snapshot") { data.snapshot },
      Section(name: "Lanes") { data.lanes(metrics) },
      Section(name: "Refusals") { logins.refusals },
      Section(name: "Seats") { logins.seats },
      Section(name: "Keyspace") {
        [Figure("db0", "keys=\(state.users),expires=\(state.sessions),avg_ttl=0")]
      },
    ]
  }

  /// What monitoring reads.
  var families: [MetricFamily] { MetricFamily.families(of: sections.lazy.flatMap { $0.figures() }) }
}

/// The sections about the process, its clients and its files.
struct ServerSections {
  let context: ServerContext
  let facts: ServerFacts

  var server: [Figure] {
    let uptime = facts.uptime
    let build = Metric.gauge("build_info", "The version that runs; always 1", ("version", Version.current))
    let started = Metric.gauge(
      "start_time_seconds", "When the process was started, in unix time", scale: Metric.milliseconds)
    return [
      Figure("redis_version", Version.redis),
      Figure("gatehouse_version", Version.current, samples: [build.sample(1), started.sample(facts.started)]),
      Figure("redis_mode", "standalone"),
      Figure("os", ProcessFigures.systemName), Figure("arch_bits", 64),
      Figure("process_id", ProcessFigures.processID), Figure("run_id", facts.runID),
      Figure("tcp_port", facts.port.load(ordering: .relaxed)), Figure("uptime_in_seconds", uptime),
      Figure("uptime_in_days", uptime / 86_400), Figure("hz", 2), Figure("executable", ProcessFigures.executable),
      Figure("config_file", ""), Figure("data_folder", context.folder.path),
    ]
  }

  /// The server's time, and how far the machine's clock is from it.
  var clock: [Figure] {
    let figures = facts.clock.figures
    return [
      Figure("server_time_usec", facts.clock.microseconds),
      Figure(
        "clock_lead_ms", figures.wallLead,
        .gauge(
          "clock_lead_seconds", "How far the machine's clock is ahead of the server's time", scale: Metric.milliseconds)
      ),
      Figure(
        "clock_doubted", figures.isDoubted ? 1 : 0,
        .gauge("clock_doubted", "1 while the machine's clock is not believed")),
      Figure("clock_jumps", figures.jumps, .counter("clock_jumps", "How often the machine's clock has jumped")),
      Figure("clock_last_jump_ms", figures.lastJump), Figure("clock_last_jump_time", figures.lastJumpTime),
    ]
  }

  var clients: [Figure] {
    [
      Figure(
        "connected_clients", facts.connectedClients.load(ordering: .relaxed),
        .gauge("connections", "Open connections of RESP and HTTP")),
      Figure(
        "maxclients", facts.current.maxConnections, .gauge("connections_allowed", "As many connections as there may be")
      ),
      Figure(
        "blocked_clients", facts.blockedClients.load(ordering: .relaxed),
        .gauge("clients_blocked", "Clients that wait for the log with WAITAOF")),
      Figure("pubsub_clients", context.subscribers.count),
      Figure(
        "clients_waiting_bytes", context.waitingBytes,
        .gauge("clients_waiting_bytes", "Replies that clients have not read yet")),
    ]
  }

  /// How often clients exceeded each limit.
  var limits: [Figure] {
    ClientLimit.allCases.map { limit in
      Figure(
        "limit_\(limit.name.replacing("-", with: "_"))", facts.limits[limit],
        .counter("limits_exceeded", "How often clients exceeded a limit, by its setting", ("limit", limit.name)))
    } + [
      Figure(
        "addresses_connected", facts.addresses.count, .gauge("addresses", "Addresses that have connections"))
    ]
  }

  var tls: [Figure] {
    let figures = facts.tls
    func handshakes(_ result: String) -> Metric {
      .counter("tls_handshakes", "TLS handshakes by result", ("result", result))
    }
    func reloads(_ result: String) -> Metric {
      .counter("tls_reloads", "How often the certificate was read again, by result", ("result", result))
    }
    let expires = figures.expires.load(ordering: .relaxed)
    let expiry = Metric.gauge("tls_certificate_expiry_timestamp_seconds", "When the certificate ends, in unix time")
    return [
      Figure("tls_port", facts.tlsPort.load(ordering: .relaxed)),
      Figure("tls_handshakes", figures.handshakes.load(ordering: .relaxed), handshakes("done")),
      Figure("tls_failed_handshakes", figures.failedHandshakes.load(ordering: .relaxed), handshakes("failed")),
      Figure("tls_last_failure", figures.lastFailure),
      Figure("tls_reloads", figures.reloads.load(ordering: .relaxed), reloads("done")),
      Figure("tls_failed_reloads", figures.failedReloads.load(ordering: .relaxed), reloads("failed")),
      // Without a certificate there is no sample: an end in 1970 would raise an alarm.
      Figure("tls_certificate_expires", expires, samples: expires == 0 ? [] : [expiry.sample(expires)]),
    ]
  }

  var memory: [Figure] {
    let resident = ProcessFigures.residentBytes
    let peak = ProcessFigures.peakBytes
    func human(_ bytes: Int) -> String { "\((Double(bytes) / 1_048_576 * 100).rounded() / 100)M" }
    return [
      Figure("used_memory", resident, .gauge("memory_resident_bytes", "Memory of the process")),
      Figure("used_memory_human", human(resident)), Figure("used_memory_rss", resident),
      Figure("used_memory_rss_human", human(resident)),
      Figure("used_memory_peak", peak, .gauge("memory_peak_bytes", "The most memory that the process has had")),
      Figure("used_memory_peak_human", human(peak)), Figure("maxmemory", 0), Figure("maxmemory_policy", "noeviction"),
      Figure("mem_fragmentation_ratio", "1.00"),
    ]
  }

  var persistence: [Figure] {
    let status = context.persistence.status
    let log = context.log.statistics
    let isOpen = [.open, .following].contains(context.log.state)
    let pending = context.log.appendedLSN - min(status.lastSavedLSN, context.log.appendedLSN)
    let hasSucceeded = Metric.gauge("snapshot_last_succeeded", "1 if the last snapshot was taken, 0 if it failed")
    let isWritable = Metric.gauge("log_writable", "1 while the log takes changes")
    let seconds = status.lastSaveSeconds
    return [
      Figure(
        "loading", facts.phase.load(ordering: .relaxed) == .loading ? 1 : 0,
        .gauge("loading", "1 while the data is loaded")),
      Figure("async_loading", 0),
      Figure(
        "rdb_changes_since_last_save", pending,
        .gauge("snapshot_missing_records", "Records that the last snapshot does not contain")),
      Figure(
        "rdb_bgsave_in_progress", status.isSaving ? 1 : 0, .gauge("snapshot_in_progress", "1 while one is taken")),
      Figure(
        "rdb_last_save_time", status.lastSave,
        .gauge("snapshot_timestamp_seconds", "When the last snapshot was taken, in unix time")),
      Figure(
        "rdb_last_bgsave_status", status.lastSaveSucceeded ? "ok" : "err",
        samples: [hasSucceeded.sample(status.lastSaveSucceeded ? 1 : 0)]),
      Figure("rdb_last_bgsave_time_sec", seconds < 0 ? -1 : Int(seconds.rounded(.up))), Figure("aof_enabled", 1),
      Figure(
        "aof_current_size", log.storedBytes,
        .counter("log_written_bytes", "Bytes written to the log since the start, compressed")),
      Figure("aof_base_size", status.lastSaveBytes),
      Figure("aof_last_write_status", isOpen ? "ok" : "err", samples: [isWritable.sample(isOpen ? 1 : 0)]),
      Figure("aof_pending_bio_fsync", log.pendingBytes > 0 ? 1 : 0), Figure("aof_delayed_fsync", 0),
    ]
  }

  func stats(_ metrics: CommandMetrics) -> [Figure] {
    let errors = metrics.errors.values.reduce(0, +)
    let uptime = max(1, facts.uptime)
    func disconnected(_ reason: String) -> Metric {
      .counter(
        "clients_disconnected", "Clients that were disconnected because they did not read their replies",
        ("reason", reason))
    }
    return [
      Figure(
        "total_connections_received", facts.connectionsReceived.load(ordering: .relaxed),
        .counter("connections_received", "Connections that clients have opened")),
      Figure("total_commands_processed", metrics.total),
      Figure(
        "instantaneous_ops_per_sec", facts.rate.perSecond(metrics.total, fallback: metrics.total / UInt64(uptime))),
      Figure(
        "total_net_input_bytes", metrics.inputBytes, .counter("received_bytes", "Bytes of requests over RESP")),
      Figure("total_net_output_bytes", metrics.outputBytes, .counter("sent_bytes", "Bytes of replies over RESP")),
      Figure(
        "rejected_connections", facts.connectionsRejected.load(ordering: .relaxed),
        .counter("connections_rejected", "Connections that were one too many")),
      Figure(
        "accept_errors", facts.acceptErrors.load(ordering: .relaxed),
        .counter("accept_errors", "Connections that could not be accepted, for want of descriptors for example")),
      Figure(
        "client_output_buffer_limit_disconnections", facts.outputLimitDisconnections.load(ordering: .relaxed),
        disconnected("own")),
      Figure("evicted_clients", facts.evictedClients.load(ordering: .relaxed), disconnected("all")),
      Figure("total_error_replies", errors),
      Figure(
        "acl_access_denied_auth", facts.deniedAuthentications.load(ordering: .relaxed),
        .counter("wrong_secrets", "Wrong secrets of services that were given")),
      Figure("expired_keys", 0), Figure("evicted_keys", 0), Figure("keyspace_hits", 0), Figure("keyspace_misses", 0),
    ]
  }

  var processor: [Figure] {
    let seconds = ProcessFigures.processorSeconds
    func used(_ mode: String) -> Metric { .counter("cpu_seconds", "Processor time of the process", ("mode", mode)) }
    return [
      Figure("used_cpu_sys", seconds.system, used("system")), Figure("used_cpu_user", seconds.user, used("user")),
    ]
  }
}
