internal import enum GatehouseStorage.LeaseClock

/// What the shared log needs of the world besides etcd. Tests simulate it, with a time of their own.
struct Surroundings: Sendable {
  /// Nanoseconds in `LeaseClock`'s time.
  var now: @Sendable () -> UInt64
  /// Sleeps for so many nanoseconds, or until the task is cancelled.
  var sleep: @Sendable (UInt64) async -> Void
  var spawn: @Sendable (@escaping @Sendable () async -> Void) -> Task<Void, Never>
  var random: @Sendable () -> UInt64

  static let real = Surroundings(
    now: { LeaseClock.now() },
    sleep: { nanoseconds in try? await Task.sleep(nanoseconds: nanoseconds) },
    spawn: { work in Task { await work() } },
    random: { .random(in: 1 ... .max) })
}
