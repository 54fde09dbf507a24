/// What the server does with a decision: answer it, log it, apply it, release the owners.
extension Turn {
  /// What the server must know of a decision.
  public struct Conclusion {
    public let hasChanges: Bool
    public let isError: Bool
    /// See `Turn.horizon`.
    public let horizon: LSN
  }

  /// Whether the changes only record what the command noticed in passing. Its answer is the same if they cannot be
  /// logged.
  public var isNotedInPassing: Bool { spec.effect == .read || reply.isError }

  /// The decision in one access: each access from another module to a property of this class is checked.
  public var conclusion: Conclusion {
    Conclusion(hasChanges: !changes.isEmpty, isError: reply.isError, horizon: horizon)
  }

  /// Restores a reply that was complete before the turn was used for something else.
  public func restore(_ reply: Reply, horizon: LSN) {
    self.reply = reply
    self.horizon = horizon
  }

  /// The reply's nodes and bytes without reference counting. They are the turn's memory, valid until its reply changes.
  public var replyParts: (nodes: UnsafeBufferPointer<Reply.Node>, bytes: UnsafeRawBufferPointer) {
    reply.withParts { ($0, $1) }
  }

  /// Makes a refusal the reply, because the log does not take the changes.
  public func answer(_ refusal: Refusal) {
    dropChanges()
    reply.reset()
    reply.error(refusal.text, of: refusal.field)
  }

  /// Answers a command that the server carries out itself.
  public func answer(_ build: (inout Reply) -> Void) {
    reply.reset()
    build(&reply)
  }

  // MARK: Committing

  /// What the gate asks about the changes.
  public struct Claim: BitwiseCopyable, Sendable {
    /// The last change of the directory that the decision has read.
    public let directory: LSN
    /// Whether the changes move the gate's counters or depend on them.
    public let movesCounters: Bool
    /// Whether the changes modify the directory.
    public let changesDirectory: Bool

    /// Whether it is neither, as with nearly all changes.
    public var isPlain: Bool { !movesCounters && !changesDirectory }
  }

  public var claim: Claim {
    Claim(
      directory: directoryLSN, movesCounters: !bounds.isEmpty || traits.contains(.movesCounters),
      changesDirectory: traits.contains(.changesDirectory))
  }

  /// Encodes the changes as a record.
  public func encodeRecord(_ header: RecordHeader, into writer: inout ByteWriter) {
    Record.encode(header, changes, into: &writer)
  }

  /// The directory as the changes have made it; nil if they have not changed it.
  public var changedDirectory: Directory? {
    guard let directoryCell else { return nil }
    let view = directoryCell.state.view
    return view === directory ? nil : view
  }

  /// The header of the changes in their record.
  public var recordHeader: RecordHeader {
    if let approval {
      return RecordHeader(
        time: now, service: connection.service ?? 0, actor: approval.request.actor, subject: approval.request.subject,
        connection: connection.id, command: approval.command, reason: approval.request.reason)
    }
    return RecordHeader(
      time: now, service: connection.service ?? 0, actor: userPrincipal?.actor, subject: userPrincipal?.subject,
      connection: connection.id, command: spec.name, reason: recordedReason)
  }

  /// Applies the changes, which are record `lsn` of the log, to the held owners.
  public func commit(_ lsn: LSN, _ header: RecordHeader) {
    // By address: taking a change out of the array would copy it.
    changes.withUnsafeBufferPointer { changes in
      for index in changes.indices {
        // The closures do not use the header: each that did would copy it.
        changes[index].applyToOwners(
          partitioning, lsn: lsn, header: header, on: { held($0) ?? missesOwner("partition \($0)") },
          directory: { directoryCell ?? missesOwner("the directory") })
      }
    }
    horizon = max(horizon, lsn)
  }

  private func missesOwner<Owner>(_ owner: String) -> Owner {
    preconditionFailure("\(spec.name) changes \(owner) without holding it")
  }

  /// Records in memory what the command noticed and the log does not store: sessions that were used, a login that was
  /// let in or refused.
  @inline(__always)
  public func noteInMemory() {
    if hasRefusal { keepRefusal() }
    if hasAdmission { countAdmission() }
    if !wrongGuess.isEmpty { countGuess() }
    if seen.isEmpty || isFollower { return }
    // By index: iterating over the array would retain it.
    for index in seen.indices { seen[index].cell.state.use(seen[index].login, at: now) }
  }

  /// Releases everything that was held.
  public func letGo() {
    home = nil
    if !others.isEmpty { others.removeAll(keepingCapacity: true) }
    if directoryCell != nil { directoryCell = nil }
    if !seen.isEmpty { seen.removeAll(keepingCapacity: true) }
  }
}
