import GatehouseCore

/// The figures of each command, of errors, and of each HTTP route.
struct CommandSections {
  let metrics: CommandMetrics
  let requests: RequestFigures

  var commands: [Figure] {
    used.map { index, line in
      let name = CommandTable.entries[index].fullName
      let microseconds = line.nanoseconds / 1000
      let each = line.calls == 0 ? 0 : Double(line.nanoseconds) / 1000 / Double(line.calls)
      let text =
        "calls=\(line.calls),usec=\(microseconds),usec_per_call=\((each * 1000).rounded() / 1000),"
        + "rejected_calls=\(line.rejected),failed_calls=\(line.failed)"
      func count(_ metric: String, _ help: String) -> Metric { .counter(metric, help, ("command", name)) }
      return Figure(
        "cmdstat_\(name)", text,
        samples: [
          count("commands", "Commands that were carried out, over RESP and HTTP").sample(line.calls),
          count("commands_rejected", "Commands that were refused before they ran: rights, words, secrets")
            .sample(line.rejected),
          count("commands_failed", "Commands that ran and were answered with an error").sample(line.failed),
        ])
    }
  }

  var errors: [Figure] {
    metrics.errors.sorted { $0.key < $1.key }.map { code, count in
      Figure(
        "errorstat_\(code)", "count=\(count)",
        samples: [Metric.counter("command_errors", "Errors that were answered, by code", ("code", code)).sample(count)])
    }
  }

  var latencies: [Figure] {
    used.filter { $0.line.calls > 0 }.map { index, line in
      let name = CommandTable.entries[index].fullName
      let times = Metric.histogram(
        "command_seconds", "How long commands took, without the wait for the log", ("command", name))
      return Figure(
        "latency_percentiles_usec_\(name)", line.times.percentiles,
        samples: [times.sample(MetricHistogram(line.times, nanoseconds: line.nanoseconds))])
    }
  }

  /// The commands that were asked for.
  private var used: [(index: Int, line: CommandMetrics.Line)] {
    CommandTable.entries.indices.map { ($0, metrics.lines[$0]) }.filter { $0.1.calls + $0.1.rejected > 0 }
  }

  // MARK: HTTP

  var http: [Figure] {
    [
      Figure("http_requests", requests.all.reduce(0) { $0 + $1.line.count }),
      Figure(
        "http_requests_in_progress", requests.inProgress,
        .gauge("http_requests_in_progress", "HTTP requests that are being answered")),
    ]
  }

  var routes: [Figure] {
    requests.all.map { route, line in
      let labels = [("method", route.method), ("route", route.pattern)]
      let times = Metric(
        name: "gatehouse_http_request_seconds", kind: .histogram, help: "How long HTTP requests took to answer",
        labels: labels)
      let counts = line.statuses.sorted { $0.key < $1.key }.map { status, count in
        Metric(
          name: "gatehouse_http_requests", kind: .counter, help: "HTTP requests that were answered, by status",
          labels: labels + [("status", "\(status)")]
        ).sample(count)
      }
      let text = line.statuses.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
      return Figure(
        "httpstat_\(route.method)_\(route.pattern)", text + ",usec=\(line.nanoseconds / 1000)",
        samples: counts + [times.sample(MetricHistogram(line.times, nanoseconds: line.nanoseconds))])
    }
  }
}
