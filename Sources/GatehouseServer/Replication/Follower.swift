import GatehouseCore
import GatehouseStorage
import Glibc
import Synchronization

/// Takes the frames of the leader: writes them to this node's log, and applies what they say to the running server.
///
/// The order is: written and synced, applied, announced. So what a reader is shown survives a crash of this node, and who
/// waits for a record finds it applied.
///
/// It has a thread of its own, because it waits for the disk.
actor Follower {
  private let services: ServerContext
  private let thread = SerialThread()
  private var decoder: FrameDecoder
  private var waited: UInt64 = 0
  /// What others may ask while the actor waits for the disk.
  private let progress: Mutex<Progress>
  /// The time of the newest record.
  private(set) var newestTime: Milliseconds

  private struct Progress {
    var index: UInt64
    var hasRoom = true
  }

  /// The last frame that was taken.
  nonisolated var index: UInt64 { progress.withLock { $0.index } }

  /// Whether the disk takes what comes.
  nonisolated var hasRoom: Bool { progress.withLock { $0.hasRoom } }

  nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

  /// Why it can take nothing more. The text says what to do.
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  init(_ services: ServerContext, after index: UInt64) {
    self.services = services
    progress = Mutex(Progress(index: index))
    newestTime = 0
    decoder = FrameDecoder(cipher: services.folder.cipher)
  }

  deinit { thread.stop() }

  private struct Decoded {
    let frame: CheckedFrame
    let records: [(lsn: LSN, record: Record)]
  }

  /// Takes the next frames.
  ///
  /// - Returns: the index of the last one.
  /// - Throws: `Failure`, `SharedLogError` or an error of decoding. The node cannot go on then.
  func take(_ frames: [SharedFrame]) throws -> UInt64 {
    let known = index
    let new = frames.filter { $0.index > known }
    for (frame, expected) in zip(new, (known + 1)...) where frame.index != expected {
      throw SharedLogError.damaged("frame \(frame.index) comes after frame \(expected - 1)")
    }
    // Before anything is done that a frame says.
    let checked: [CheckedFrame]
    do throws(IngestFault) {
      checked = try services.log.check(new)
    } catch {
      throw Failure(ingestFault: error)
    }
    var pending: [Decoded] = []
    for frame in checked {
      let decoded = try decode(frame)
      let destroyed = decoded.records.flatMap { $0.record.destroyedKeys }
      if !destroyed.isEmpty {
        // Keys that the leader has destroyed go before the record that says so is here: after it nothing would remember
        // that they must. What has forgotten these people came before, and stays.
        try write(pending)
        pending = []
        for keys in destroyed { try services.folder.keys?.destroy(keys.keys, reaching: keys.generation) }
      }
      pending.append(decoded)
    }
    try write(pending)
    return index
  }

  private func decode(_ frame: CheckedFrame) throws -> Decoded {
    var records: [(lsn: LSN, record: Record)] = []
    records.reserveCapacity(Int(frame.header.recordCount))
    do {
      try frame.withStoredBody { stored in
        try decoder.forEachRecord(frame.header, stored: stored) { lsn, bytes in
          var reader = ByteReader(bytes)
          do throws(CodingError) {
            records.append((lsn, try Record(from: &reader, services.folder.keys)))
          } catch {
            throw Failure(
              description: "record \(lsn) of the shared log cannot be read: \(error); if another node has a newer "
                + "version than this one (\(Version.current)), upgrade this node")
          }
        }
      }
    } catch let error as LogError where error.code == .locked {
      throw Failure(
        description: "\(error); the encryption of another node's folder was changed: copy its keyring and keyring.copy "
          + "here while this node is stopped, and start again")
    }
    return Decoded(frame: frame, records: records)
  }

  /// Writes frames, applies them, and announces them.
  private func write(_ decoded: [Decoded]) throws {
    var rest = decoded[...]
    defer { progress.withLock { $0.hasRoom = true } }
    while !rest.isEmpty {
      let ingestion: LogWriter.Ingestion
      do throws(IngestFault) {
        ingestion = try services.log.ingest(rest.lazy.map(\.frame))
      } catch {
        throw Failure(ingestFault: error)
      }
      apply(rest.prefix(ingestion.taken))
      rest = rest.dropFirst(ingestion.taken)
      if rest.isEmpty { return }
      guard !services.hasLogFailed, !services.isStopping, !Task.isCancelled else { throw CancellationError() }
      // There is no room on this node's disk. The others go on; this one is behind meanwhile, and says so.
      progress.withLock { $0.hasRoom = false }
      usleep(Self.shortagePause)
    }
  }

  private static let shortagePause: UInt32 = 50_000

  private func apply(_ decoded: ArraySlice<Decoded>) {
    var last: LSN = 0
    for one in decoded {
      for (lsn, record) in one.records {
        apply(record, lsn)
        last = lsn
      }
      progress.withLock { $0.index = one.frame.index }
    }
    guard last > 0 else { return }
    services.log.announce(through: last)
    // Times that records have must not be in the future of what this node decides.
    if newestTime > services.clock.milliseconds { services.clock.advance(to: newestTime) }
  }

  /// Applies a record as the leader did: while all its owners are held, and the gate knows of it first.
  private func apply(_ record: Record, _ lsn: LSN) {
    let partitioning = services.partitioning
    var owners = OwnerSet()
    record.forEachPart { part in
      for change in part.changes {
        change.forEachOwner(partitioning) {
          owners.insert($0)
        } directory: {
          owners.directory = true
        }
      }
    }
    newestTime = max(newestTime, record.time)
    if !record.isWhole { services.note(newer: .record(lsn)) }
    let holds = Holds(owners, services.handles, services.directory.handle, addingWaitTo: &waited)
    services.gate.follow(record, lsn)
    let cells = holds.cells
    let directory = holds.directory
    record.apply(
      lsn: lsn, partitioning, partition: { index in cells.first { $0.index == index }! }, directory: { directory! })
    if let directory, owners.directory { services.publish(followed: directory.state.view) }
    holds.leave()
  }
}

extension Follower.Failure {
  fileprivate init(ingestFault fault: IngestFault) {
    switch fault {
    case .log(.full(let error)), .log(.broken(let error)):
      self.init(description: "\(error); \(error.trouble.remedy)")
    case .log(.fenced(let reason, let remedy)): self.init(description: "\(reason); \(remedy)")
    case .unfit(let what):
      self.init(
        description: "a frame of the shared log does not fit this node's log: \(what); start again, and this node's "
          + "log is compared with the shared one")
    }
  }
}

extension Record {
  /// What the record says of keys that were destroyed.
  fileprivate var destroyedKeys: [KeysDestroyed] {
    var found: [KeysDestroyed] = []
    forEachPart { part in
      for change in part.changes {
        if case .partition(let change) = change, let keys = change as? KeysDestroyed { found.append(keys) }
      }
    }
    return found
  }
}
