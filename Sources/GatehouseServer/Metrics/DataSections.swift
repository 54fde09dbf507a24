import GatehouseCore
import GatehouseStorage
import Synchronization

/// The sections about people and their logins, and about the files and threads that keep them.
struct DataSections {
  let context: ServerContext
  let facts: ServerFacts

  func users(_ state: StateFigures) -> [Figure] {
    [
      Figure("users", state.users, .gauge("users", "Users that are not deleted")),
      Figure("contacts", state.contacts, .gauge("contacts", "Contacts that were ever made")),
    ]
  }

  /// The hashing of passwords: how much of it runs, waits, and was refused, and the memory kept for it. Then the addresses
  /// and services that wrong passwords came from, how many are remembered at most, and how often a guess had to wait.
  var passwords: [Figure] {
    let figures = context.passwordPool.figures
    let guesses = facts.guesses.figures
    return [
      Figure("passwords_hashing", figures.running, .gauge("passwords_hashing", "Passwords that are hashed now")),
      Figure("passwords_waiting", figures.waiting, .gauge("passwords_waiting", "Passwords that wait to be hashed")),
      Figure(
        "passwords_refused_busy", figures.refused,
        .counter("passwords_refused", "Logins refused because they would have waited too long to be hashed")),
      Figure(
        "passwords_kept_bytes", context.passwordHasher.threads.keptBytes,
        .gauge("passwords_kept_bytes", "Memory kept for hashing passwords")),
      Figure(
        "guess_sources", guesses.sources, .gauge("guess_sources", "Addresses and services with wrong passwords of late")
      ),
      Figure("guess_sources_most", guesses.capacity),
      Figure("guesses_slowed", guesses.slowed, .counter("guesses_slowed", "Passwords that had to wait for their turn")),
    ]
  }

  func sessions(_ state: StateFigures) -> [Figure] {
    [
      Figure("sessions", state.sessions, .gauge("sessions", "Open sessions, impersonations among them")),
      Figure("impersonations", state.impersonations, .gauge("impersonations", "Open impersonations")),
      Figure("api_keys", state.apiKeys, .gauge("api_keys", "API keys that are kept, ended ones among them")),
      Figure("second_factors", state.secondFactors, .gauge("second_factors", "Users with a second factor")),
      Figure(
        "login_challenges", state.challenges, .gauge("login_challenges", "Logins that wait for a second factor")),
    ]
  }

  func timers(_ state: StateFigures) -> [Figure] {
    [
      Figure("running_timers", state.timers, .gauge("running_timers", "Timers that run")),
      Figure("entries", state.entries, .gauge("time_entries", "Time entries that were ever made")),
      Figure("queued_mails", state.mails, .gauge("mails_queued", "Mails that wait to be sent")),
      Figure("dead_mails", state.deadMails, .gauge("mails_dead", "Mails that could not be sent")),
      Figure("kept_answers", state.answers, .gauge("answers_kept", "Replies kept under IDEM keys")),
    ]
  }

  private var webhooks: [Figure] {
    let hooks = context.gate.directory.webhooks
    func count(_ condition: String) -> Metric { .gauge("webhooks", "Webhooks by condition", ("condition", condition)) }
    func deliveries(_ result: String) -> Metric {
      .counter("webhook_deliveries", "Requests to webhooks by result", ("result", result))
    }
    let failing = hooks.count { $0.condition == .failing }
    let paused = hooks.count { $0.condition == .paused }
    return [
      Figure("webhooks", hooks.count),
      Figure("webhooks_failing", failing, count("failing")), Figure("webhooks_paused", paused, count("paused")),
      Figure("webhook_deliveries", facts.webhookDeliveries.load(ordering: .relaxed), deliveries("delivered")),
      Figure("webhook_failures", facts.webhookFailures.load(ordering: .relaxed), deliveries("failed")),
    ]
  }

  func log(_ metrics: CommandMetrics) -> [Figure] {
    let log = context.log.statistics
    let syncs = max(1, log.syncs)
    let synced = Metric.histogram("log_sync_seconds", "How long syncs of the log took")
    let waited = Metric.histogram("log_wait_seconds", "How long replies waited for the log to be durable")
    func lsn(_ stage: String) -> Metric {
      .gauge("log_lsn", "The number of the last record, by how far it has come", ("stage", stage))
    }
    return [
      Figure("log_state", "\(context.log.state)"),
      Figure("log_appended_lsn", context.log.appendedLSN, lsn("appended")),
      Figure("log_durable_lsn", context.log.durableLSN, lsn("durable")),
      Figure("log_synced_lsn", context.log.syncedLSN, lsn("synced")),
      Figure("log_frames", log.frames, .counter("log_frames", "Frames written to the log")),
      Figure("log_records", log.records, .counter("log_records", "Records written to the log")),
      Figure("log_raw_bytes", log.rawBytes, .counter("log_raw_bytes", "Bytes of records before compression")),
      Figure("log_stored_bytes", log.storedBytes),
      Figure(
        "log_syncs", log.syncs,
        samples: [synced.sample(MetricHistogram(doublings: log.syncHistogram, nanoseconds: log.syncNanoseconds))]),
      Figure("log_sync_usec_average", log.syncNanoseconds / syncs / 1000),
      Figure(
        "log_sync_usec_longest", log.longestSyncNanoseconds / 1000,
        .gauge("log_sync_longest_seconds", "The longest sync since the start", scale: Metric.microseconds)),
      Figure("log_segment", log.currentSegment), Figure("log_data_key", context.folder.cipher.currentNumber),
      Figure(
        "log_pending_bytes", log.pendingBytes, .gauge("log_staged_bytes", "Bytes of records that are not durable yet")),
      Figure("log_index_bytes", context.logIndex.bytes, .gauge("log_index_bytes", "Memory of the log's index")),
      Figure(
        "history_cache_bytes", context.history.cache?.bytes ?? 0,
        .gauge("history_cache_bytes", "Memory of decoded parts of the log and its archive")),
      Figure(
        "feed_waiting_readers", context.feedReaders.waitingCount,
        .gauge("feed_waiting_readers", "Readers of the feed that wait for records")),
      Figure("feed_tail_bytes", context.feedTail.bytes, .gauge("feed_tail_bytes", "Memory of the feed's newest part")),
    ] + webhooks + [
      Figure(
        "log_waits", metrics.logWaits.count,
        samples: [waited.sample(MetricHistogram(metrics.logWaits, nanoseconds: metrics.logWaits.sum))]),
      Figure("log_wait_percentiles_usec", metrics.logWaits.percentiles),
      Figure("log_wait_usec_longest", metrics.logWaits.longest / 1000),
    ]
  }

  var snapshot: [Figure] {
    let status = context.persistence.status
    // The clock's own time, so that an alert needs no second clock to be right.
    let age = max(0, facts.clock.milliseconds - status.lastSave * 1000)
    let aged = Metric.gauge("snapshot_age_seconds", "Seconds since the last snapshot", scale: Metric.milliseconds)
    let took = Metric.gauge("snapshot_duration_seconds", "How long the last snapshot took")
    let seconds = status.lastSaveSeconds
    return [
      Figure(
        "snapshot_lsn", status.lastSavedLSN, .gauge("snapshot_lsn", "The last record that the snapshot contains")),
      Figure("snapshot_bytes", status.lastSaveBytes, .gauge("snapshot_bytes", "The last snapshot's file")),
      Figure("snapshot_age_seconds", age / 1000, samples: [aged.sample(age)]),
      Figure(
        "snapshot_seconds", seconds,
        samples: seconds < 0 ? [] : [Figure.Sample(metric: took, value: .number(seconds))]),
      Figure("snapshots_taken", status.savesTaken, .counter("snapshots", "Snapshots taken since the start")),
      Figure("snapshot_last_error", status.lastError),
      Figure(
        "snapshot_longest_copy_usec", status.longestCopyNanoseconds / 1000,
        .gauge(
          "snapshot_longest_copy_seconds", "How long a snapshot has held a partition at most",
          scale: Metric.microseconds)),
      Figure(
        "archived_through_lsn", status.archivedThrough,
        .gauge("archived_through_lsn", "The last record that is in the archive")),
      Figure("archive_bytes", status.archiveBytes, .gauge("archive_bytes", "The files of the archive")),
      Figure(
        "keys_to_destroy", status.pendingKeys,
        .gauge("keys_to_destroy", "Keys of anonymised people that are still to be destroyed")),
      Figure("key_store_nodes", context.folder.keys?.nodeCount ?? 0),
      Figure("backups_held", context.heldBackups.count, .gauge("backups_held", "Backups that clients fetch now")),
      Figure("backups_held_most", HeldBackups.most),
      Figure("forgotten_through_lsn", status.forgottenThrough),
      Figure("snapshots_renewed_through_lsn", status.renewedThrough),
    ]
  }

  func lanes(_ metrics: CommandMetrics) -> [Figure] {
    let waited = Metric.histogram("hold_wait_seconds", "How long commands waited for a partition that another was in")
    return [
      Figure("lanes", context.lanes.count, .gauge("lanes", "Event loops for RESP")),
      Figure("partitions", context.partitions.count, .gauge("partitions", "Partitions of the data")),
      Figure(
        "holds_contended", context.handles.reduce(0) { $0 + $1.lock.pointee.contended },
        .counter("holds_contended", "How often a command found its partition held by another")),
      Figure(
        "longest_hold_usec", context.holdFigures.longestNanoseconds / 1000,
        .gauge("hold_longest_seconds", "The longest time that a partition was held", scale: Metric.microseconds)),
      Figure(
        "longest_visit_usec", context.holdFigures.longestVisitNanoseconds / 1000,
        .gauge(
          "visit_longest_seconds", "The longest work of the upkeep in a partition at a time",
          scale: Metric.microseconds)),
      Figure(
        "hold_wait_percentiles_usec", metrics.holdWaits.percentiles,
        samples: [waited.sample(MetricHistogram(metrics.holdWaits, nanoseconds: metrics.holdWaits.sum))]),
      Figure("hold_wait_usec_longest", metrics.holdWaits.longest / 1000),
    ]
  }
}
