import GatehouseCore
import GatehouseStorage
import Logging
import Synchronization

/// What all lanes of a server share. Everything in it is immutable or safe to share.
final class ServerContext: Sendable {
  let partitioning: Partitioning
  let folder: DataFolder
  let log: LogWriter
  let lanes: [Lane]
  let partitions: [Partition]
  let directory: DirectoryOwner
  let logger: Logger
  let facts: ServerFacts
  let slowLog = SlowLog()
  let monitors = Monitors()
  let persistence: Persistence
  private let folderSecret: Digest
  private let logFailure = Atomic<Bool>(false)
  /// The directory's last change that every lane knows of.
  let publishedDirectory: Atomic<LSN>
  /// The connection that defined the first service: it remains `local`, so that it can define the others.
  private let founder = Atomic<UInt64>(0)
  /// Work in tasks that the server's end waits for.
  private let tasks = Atomic<Int>(0)

  init(
    partitioning: Partitioning, folder: DataFolder, log: LogWriter, lanes: [Lane], partitions: [Partition],
    directory: DirectoryOwner, view: Directory, facts: ServerFacts, persistence: Persistence, logger: Logger
  ) {
    self.partitioning = partitioning
    self.folder = folder
    self.log = log
    self.lanes = lanes
    self.partitions = partitions
    self.directory = directory
    self.facts = facts
    self.persistence = persistence
    self.logger = logger
    folderSecret = folder.manifest.secretKey.bytes.withUnsafeBytes { sha256($0) }
    publishedDirectory = Atomic(view.lsn)
  }

  /// Whether the log takes no more changes, for good.
  @inline(__always)
  var hasLogFailed: Bool { logFailure.load(ordering: .acquiring) }

  func noteLogFailure() { logFailure.store(true, ordering: .releasing) }

  /// Whether the server is on its way to its end: what waits for anything should give up.
  var isStopping: Bool { facts.phase.load(ordering: .acquiring) == .stopping }

  /// Has the log synced through a record, ahead of its interval, and waits for that.
  ///
  /// - Parameter goesOn: asked between two looks whether to wait on.
  /// - Returns: whether it is synced.
  func sync(through lsn: LSN, while goesOn: () async -> Bool) async -> Bool {
    while log.syncedLSN < lsn {
      guard !hasLogFailed, await goesOn() else { break }
      log.requestSync()
      try? await Task.sleep(for: .milliseconds(1))
    }
    return log.syncedLSN >= lsn
  }

  func makeTurn(directory: Directory) -> Turn {
    Turn(
      partitioning: partitioning, directory: directory, folderSecret: folderSecret,
      entropy: Entropy(fill: fillRandom, digest: sha256), digest: sha256)
  }

  // MARK: Services

  /// Whether a connection without a service's name may be `local`: while there is no service, and after that only
  /// the one that defined the first.
  func mayBeLocal(_ connection: UInt64, _ directory: Directory) -> Bool {
    !directory.hasServices || connection == founder.load(ordering: .relaxed)
  }

  private func noteFounder(_ turn: Turn) {
    guard let changed = turn.directoryCell?.state.view, changed.hasServices, !turn.directory.hasServices else { return }
    founder.store(turn.connection.id, ordering: .relaxed)
  }

  // MARK: Tasks

  /// Carries work out in a task, which the server's end waits for.
  @discardableResult
  func start(_ work: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
    tasks.add(1, ordering: .acquiringAndReleasing)
    return Task {
      await work()
      tasks.subtract(1, ordering: .acquiringAndReleasing)
    }
  }

  var hasTasks: Bool { tasks.load(ordering: .acquiring) > 0 }

  // MARK: Committing

  /// Logs what a turn decided and applies it. Nothing is applied unless the log has taken it.
  ///
  /// - Parameter record: storage for the record's bytes, to be used again.
  /// - Returns: why the log does not take it, or nil.
  func commit(_ turn: Turn, record: inout ByteWriter) -> Refusal? {
    let header = turn.recordHeader
    record.reset()
    Record.encode(header, turn.changes, into: &record)
    do throws(LogRefusal) {
      let lsn = try record.withBytes { bytes throws(LogRefusal) in try log.append(bytes, wake: false) }
      turn.commit(lsn, header)
      noteFounder(turn)
      return nil
    } catch {
      // A read that would note something in passing answers all the same.
      return turn.spec.effect == .read ? nil : Refusal(logRefusal: error)
    }
  }
}
