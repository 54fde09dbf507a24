/// All connections of a test, distributed over the threads that drive them.
struct Fleet: Sendable {
  var server: WorkerPlan
  var threads: Int

  /// Runs one connection per source. Returns the sum of what the threads measured, and the sources in order.
  func run<Source: RequestSource>(_ sources: [Source]) throws -> (measurement: Measurement, sources: [Source]) {
    let threads = min(threads, sources.count)
    let shares = (0..<threads).map { thread in
      Share(plan: plan(of: thread, of: threads), sources: share(thread, of: threads, of: sources))
    }
    let results = try onThreads(shares) { share in
      try Worker(plan: share.plan, sources: share.sources).run()
    }
    var measurement = results[0].measurement
    for result in results.dropFirst() { measurement.merge(result.measurement) }
    return (measurement, results.flatMap(\.sources))
  }

  private struct Share<Source: RequestSource>: Sendable {
    var plan: WorkerPlan
    var sources: [Source]
  }

  private func share<Source>(_ thread: Int, of threads: Int, of sources: [Source]) -> [Source] {
    Array(sources[(sources.count * thread / threads)..<(sources.count * (thread + 1) / threads)])
  }

  private func plan(of thread: Int, of threads: Int) -> WorkerPlan {
    var plan = server
    if thread > 0 { plan.serverPID = nil }
    if case .openLoop(let interval) = plan.pace { plan.pace = .openLoop(interval: interval * UInt64(threads)) }
    if case .afterRequests(let count) = plan.end {
      plan.end = .afterRequests(count * (thread + 1) / threads - count * thread / threads)
    }
    return plan
  }
}
