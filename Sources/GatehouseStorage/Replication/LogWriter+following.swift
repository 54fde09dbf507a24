internal import Synchronization

/// A log that takes the frames of another node instead of records, and may come to lead.
///
/// While it follows, the frames go into its files as they are, so the hash chain is the same on every node. What the
/// frames say is applied by whoever hands them out, in this order: `check`, `ingest` (written and synced), `follow` for each
/// record while its owners are held, `announce`.
extension LogWriter {
  /// What became of frames that were handed out.
  package struct Ingestion: Sendable, Equatable {
    /// How many of them are written and synced now, from the first on.
    package var taken: Int
    /// Why the others are not; they may be handed out again later.
    package var shortage: DiskError?
  }

  /// Writes frames and syncs them.
  ///
  /// - Throws: `IngestFault.unfit` if one of them may not come next; those before it are written. `LogFault.broken` in
  ///   `IngestFault.log` if the disk has failed: the log has stopped for good.
  package func ingest(_ frames: some Sequence<CheckedFrame>) throws(IngestFault) -> Ingestion {
    try committer.withLock { committer throws(IngestFault) in
      guard committer.isFollowing, !core.hasFailed else { return Ingestion(taken: 0, shortage: nil) }
      var ingestion = Ingestion(taken: 0, shortage: nil)
      var unfit: IngestFault?
      do throws(IngestFault) {
        for frame in frames {
          try committer.ingest(frame)
          ingestion.taken += 1
        }
      } catch {
        switch error {
        case .log(.full(let cause)): ingestion.shortage = cause
        case .log(.broken(let cause)):
          core.fail(cause)
          throw error
        case .log(.fenced(let reason, let remedy)):
          core.fail(reason, remedy: remedy)
          throw error
        case .unfit: unfit = error
        }
      }
      do throws(LogFault) {
        try committer.syncIngested()
      } catch {
        switch error {
        case .full(let cause): ingestion = Ingestion(taken: 0, shortage: cause)
        case .broken(let cause):
          core.fail(cause)
          throw .log(error)
        case .fenced(let reason, let remedy):
          core.fail(reason, remedy: remedy)
          throw .log(error)
        }
      }
      if let unfit { throw unfit }
      return ingestion
    }
  }

  /// Notes that a record which was ingested is being applied, under the lock that orders all records.
  ///
  /// - Parameter body: changes the state that `append`'s `admits` changes.
  package func follow(_ lsn: UInt64, _ body: () -> Void) {
    core.staging.withLock { staging in
      staging.advance(to: lsn)
      body()
    }
  }

  /// Everything through this record is ingested and applied: whoever waits for it may go on.
  package func announce(through lsn: UInt64) { committer.withLock { $0.announce(through: lsn) } }

  /// The last frame's last record and its hash.
  package var end: (lsn: UInt64, hash: Hash128) { committer.withLock { $0.end } }

  /// The same; nil while frames are written and synced, which may take long.
  package var endAtHand: (lsn: UInt64, hash: Hash128)? { committer.withLockIfAvailable { $0.end } }

  /// The epoch of the frames that are written.
  package var epoch: UInt64 { core.epoch.load(ordering: .acquiring) }

  /// The largest epoch that the folder's log was ever opened in. Whoever comes to lead needs a greater one.
  package var greatestEpoch: UInt64 { keeper.greatestEpoch }

  /// Takes records from now on, and writes them to the shared log too. Everything through the leadership's tail must be
  /// applied.
  ///
  /// - Throws: `DiskError` if it cannot be noted durably that the epoch is used.
  package func lead(_ leadership: any Leadership) throws(DiskError) {
    let epoch = leadership.epoch
    precondition(epoch > self.epoch, "a leader has an epoch of its own")
    precondition(appendedLSN == end.lsn, "a leader has applied everything")
    try keeper.begin(epoch: epoch)
    committer.withLock { committer in
      core.epoch.store(epoch, ordering: .releasing)
      committer.lead(beside: leadership.makeSink())
    }
    resume()
  }

  /// Refuses records from now on, as before `lead`; those that were accepted are still written. For handing over.
  package func pause() {
    core.staging.withLock { if case .open = $0.state { $0.setState(.following) } }
  }

  /// Writes nothing any more, because another node may lead: what was not written before is not acknowledged, and the log
  /// has no clean end.
  package func abandon(_ reason: String) {
    core.fail(reason, remedy: "the node starts again, and compares its log with the shared one")
  }

  /// Takes records again.
  package func resume() {
    core.staging.withLock { if case .following = $0.state { $0.setState(.open) } }
  }
}
