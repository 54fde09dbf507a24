import GatehouseCore
import GatehouseStorage
import Synchronization

/// The log's append. It is the one point where all records have a total order, so the rules that span partitions are
/// checked here. Appending takes the lock of the log's staging anyway; the gate's state is guarded by the same lock.
///
/// A record is admitted if (a) the directory that its decision read is still the current one, and (b) every bounded
/// counter is still within its bound afterwards. So nobody holds the directory to count a seat, and every prefix of the
/// log obeys the bounds.
final class Gate: CounterReader, @unchecked Sendable {
  private let log: LogWriter
  /// Guarded by the log's staging lock, as is `directoryLSN`.
  @exclusivity(unchecked) private var counters: Counters
  /// The last record that changed the directory.
  @exclusivity(unchecked) private var directoryLSN: LSN
  private let published: Mutex<Directory>
  /// The LSN of the published directory, so that a thread can see whether its copy is current without touching a
  /// reference count.
  let publishedLSN: UnsafePointer<Atomic<LSN>>

  init(_ log: LogWriter, _ directory: DirectoryState) {
    self.log = log
    counters = directory.counters
    directoryLSN = directory.view.lsn
    published = Mutex(directory.view)
    let number = UnsafeMutablePointer<Atomic<LSN>>.allocate(capacity: 1)
    number.initialize(to: Atomic(directory.view.lsn))
    publishedLSN = UnsafePointer(number)
  }

  deinit { publishedLSN.deallocate() }

  /// Why a record was not admitted.
  enum Objection: Error {
    /// The directory has changed since the decision read it: decide again.
    case staleDirectory
    case bound(CounterViolation, horizon: LSN)
    case log(LogRefusal)
  }

  /// Appends what a turn has decided.
  ///
  /// - Parameters:
  ///   - record: the turn's changes, encoded.
  ///   - time: the record's time.
  /// - Returns: the record's LSN, or why it was refused; then nothing has changed.
  func append(_ record: UnsafeRawBufferPointer, at time: Milliseconds, of turn: Turn) -> Result<LSN, Objection> {
    // Asked before the lock is taken, which all lanes share.
    let claim = turn.claim
    var objection: Objection?
    do throws(LogRefusal) {
      let lsn = try log.append(record, at: time, wake: false) { lsn in
        guard claim.directory == directoryLSN else {
          objection = .staleDirectory
          return false
        }
        if claim.isPlain { return true }
        objection = admit(turn, claim, lsn)
        return objection == nil
      }
      return objection.map { .failure($0) } ?? .success(lsn)
    } catch {
      return .failure(.log(error))
    }
  }

  private func admit(_ turn: Turn, _ claim: Turn.Claim, _ lsn: LSN) -> Objection? {
    if claim.movesCounters, let violation = counters.move(by: turn.changes, bounds: turn.bounds, lsn: lsn) {
      return .bound(violation, horizon: counters.lsn)
    }
    if claim.changesDirectory { directoryLSN = lsn }
    return nil
  }

  /// Appends what a group of commands has decided, all or nothing.
  ///
  /// - Parameters: as above; `record` holds all parts of the group.
  func append(
    _ record: UnsafeRawBufferPointer, at time: Milliseconds, of group: CommandGroup
  ) -> Result<LSN, Objection> {
    let changesDirectory = group.changesDirectory
    var objection: Objection?
    do throws(LogRefusal) {
      let lsn = try log.append(record, at: time, wake: false) { lsn in
        objection = admit(group, changesDirectory, lsn)
        return objection == nil
      }
      return objection.map { .failure($0) } ?? .success(lsn)
    } catch {
      return .failure(.log(error))
    }
  }

  private func admit(_ group: CommandGroup, _ changesDirectory: Bool, _ lsn: LSN) -> Objection? {
    guard group.directory.lsn == directoryLSN else { return .staleDirectory }
    let before = counters
    for part in group.parts where part.movesCounters {
      guard let violation = counters.move(by: part.record.changes, bounds: part.bounds, lsn: lsn) else { continue }
      counters = before
      return .bound(violation, horizon: counters.lsn)
    }
    if changesDirectory { directoryLSN = lsn }
    return nil
  }

  // MARK: Following

  /// Notes a record that another node has admitted. Call it while the record's owners are held, and before it is applied.
  func follow(_ record: Record, _ lsn: LSN) {
    log.follow(lsn) {
      record.forEachPart { part in
        for change in part.changes {
          if change.movesCounters { counters.apply(change, lsn: lsn) }
          if change.changesDirectory { directoryLSN = lsn }
        }
      }
    }
  }

  // MARK: Counters

  func used(_ pools: [SeatKey], directory: LSN) -> (seats: [Int], lsn: LSN)? {
    log.withOrder { _ in directory == directoryLSN ? (pools.map { counters.used($0) }, counters.lsn) : nil }
  }

  /// The seats now in use of each pool, for figures, whatever has changed meanwhile.
  func used(_ pools: some Sequence<SeatKey>) -> [Int] { log.withOrder { _ in pools.map { counters.used($0) } } }

  func counters(beside directory: LSN) -> Counters? {
    let (counters, isCurrent) = currentCounters(beside: directory)
    return isCurrent ? counters : nil
  }

  /// All counters, and whether the directory that the reader has is the current one.
  func currentCounters(beside directory: LSN) -> (counters: Counters, isCurrent: Bool) {
    log.withOrder { _ in (counters, directory == directoryLSN) }
  }

  /// All counters, and the LSN through which they are counted.
  func countersWithLSN() -> (counters: Counters, lsn: LSN) { log.withOrder { lsn in (counters, lsn) } }

  // MARK: The directory

  /// The current directory.
  var directory: Directory { published.withLock { $0 } }

  /// Publishes a changed directory. Call it while the directory and everything that refers to the change are held:
  /// whoever enters a partition later then finds a view that contains all that the partition refers to.
  func publish(_ view: Directory) {
    published.withLock { $0 = view }
    publishedLSN.pointee.store(view.lsn, ordering: .releasing)
  }
}
