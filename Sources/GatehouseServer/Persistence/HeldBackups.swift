import GatehouseCore
import GatehouseStorage
import Synchronization

/// The backups that clients fetch (`NODE.BACKUP`). Each belongs to the service that has begun it, whatever connection it
/// comes on. Few are held at a time, and none for long: a backup keeps deleted files on the disk.
final class HeldBackups: Sendable {
  private struct Entry {
    let backup: HeldBackup
    let service: ServiceID
    let begunAt: UInt64
    var usedAt: UInt64
  }

  private struct State {
    var entries: [String: Entry] = [:]
    /// Those that are being made.
    var beginning = 0
  }

  private let state = Mutex(State())

  static let most = 2
  /// In nanoseconds: after this time a backup goes that nobody has read of, and any.
  static let idle: UInt64 = 60_000_000_000
  static let longest: UInt64 = 6 * 3600 * 1_000_000_000

  var count: Int { state.withLock { $0.entries.count + $0.beginning } }

  /// Makes a backup and holds it.
  ///
  /// - Returns: nil if there are too many.
  func begin(
    for service: ServiceID, _ make: () throws -> HeldBackup
  ) throws -> (id: String, backup: HeldBackup)? {
    expire(at: Clock.nanoseconds())
    let isFree = state.withLock { state in
      guard state.entries.count + state.beginning < Self.most else { return false }
      state.beginning += 1
      return true
    }
    guard isFree else { return nil }
    defer { state.withLock { $0.beginning -= 1 } }
    let backup = try make()
    let id = Self.newID()
    let now = Clock.nanoseconds()
    state.withLock { $0.entries[id] = Entry(backup: backup, service: service, begunAt: now, usedAt: now) }
    return (id, backup)
  }

  /// A service's backup, which somebody reads of now; nil if it is not held, or another service's.
  func use(_ id: String, for service: ServiceID) -> HeldBackup? {
    state.withLock { state in
      guard let entry = state.entries[id], entry.service == service else { return nil }
      state.entries[id]?.usedAt = Clock.nanoseconds()
      return entry.backup
    }
  }

  /// - Returns: false if it is not held, or another service's.
  func release(_ id: String, for service: ServiceID) -> Bool {
    state.withLock { state in
      guard state.entries[id]?.service == service else { return false }
      state.entries[id] = nil
      return true
    }
  }

  /// Lets go of those whose time is over.
  func expire(at now: UInt64) {
    state.withLock { state in
      state.entries = state.entries.filter { _, entry in
        now < entry.usedAt + Self.idle && now < entry.begunAt + Self.longest
      }
    }
  }

  /// 32 hexadecimal digits that cannot be guessed.
  private static func newID() -> String {
    var random = SystemRandomNumberGenerator()
    return "\(Hash128(high: random.next(), low: random.next()))"
  }
}

extension ServerContext {
  /// Lets go of backups whose time is over, until the task is cancelled.
  func keepHeldBackups() async {
    while !Task.isCancelled {
      try? await Task.sleep(for: .seconds(1))
      heldBackups.expire(at: Clock.nanoseconds())
    }
  }
}
