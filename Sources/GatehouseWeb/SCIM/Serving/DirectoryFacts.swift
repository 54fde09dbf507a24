import GatehouseCore
import GatehouseServer
import Synchronization

/// What was asked of the directory, kept as long as the directory is the same.
final class DirectoryFacts<Value: Sendable>: Sendable {
  private let kept = Mutex<(lsn: LSN, value: Value)?>(nil)

  func current(_ door: CommandDoor, _ ask: () async throws -> Value) async throws -> Value {
    let lsn = door.directoryLSN
    if let kept = kept.withLock({ $0 }), kept.lsn == lsn { return kept.value }
    let value = try await ask()
    kept.withLock { $0 = (lsn, value) }
    return value
  }
}
