/// The people of a partition who were anonymised or purged and whose keys must be destroyed (L6).
///
/// Forgetting takes three steps. Each is durable before the next, and a start goes on where a crash came between:
///
/// 1. The record that anonymises is written. With it, the keys are pending here.
/// 2. The server destroys the keys in the key store, and records it (`KeysDestroyed`). From then on nobody can read what
///    log and archive say of the person; both stay as they are, and their hash chain can be proved.
/// 3. Snapshots from before, which are not sealed, are replaced by new ones. Until then a start forgets the person while
///    it reads them (`ForgettingAgain`).
public struct ForgottenPeople: ~Copyable, Sendable {
  /// The keys to be destroyed.
  public private(set) var pending: Set<SealKey> = []
  /// The last record that forgot somebody: older snapshots of this partition know more than they may.
  public private(set) var last: LSN = 0
  /// How often the key store had changed when the newest of these keys were destroyed. A store that changed less often
  /// was brought back from an older copy.
  public private(set) var generation: UInt64 = 0

  public init() {}

  mutating func add(_ keys: [SealKey], _ lsn: LSN) {
    if keys.isEmpty { return }
    pending.formUnion(keys)
    last = lsn
  }

  fileprivate mutating func settle(_ keys: [SealKey], _ generation: UInt64) {
    pending.subtract(keys)
    self.generation = max(self.generation, generation)
  }
}

extension ForgottenPeople: Aggregate {
  mutating func copy() -> ForgottenPeople {
    var copy = ForgottenPeople()
    copy.pending = pending
    copy.last = last
    copy.generation = generation
    return copy
  }

  static let sections: [StoredSection<PartitionState>] = [
    StoredSection(29) { state, writer in
      writer.list(state.forgotten.pending.sorted()) { SealKeyForm.write($1, to: &$0) }
      writer.varint(state.forgotten.last)
      writer.varint(state.forgotten.generation)
    } read: { (state, reader, _) throws(CodingError) in
      for _ in 0..<(try reader.count()) { state.forgotten.pending.insert(try SealKeyForm.read(from: &reader)) }
      state.forgotten.last = try reader.varint()
      state.forgotten.generation = try reader.varint()
    }
  ]

  static func check(_ state: borrowing PartitionState, _ checker: InvariantChecker) {
    for key in state.forgotten.pending {
      checker.expect(
        state.partitioning.partition(of: UserID(raw: key.raw)) == state.index,
        "the key of \(key) is pending in another partition")
    }
    checker.expect(state.forgotten.last <= state.lsn, "partition \(state.index) has forgotten somebody in the future")
  }
}

extension PartitionState {
  /// The keys of all people of the partition who were anonymised or purged, whether they were destroyed or not.
  public var forgottenKeys: [SealKey] {
    var keys = forgotten.pending
    for serial in 1..<(people.contacts.last + 1)
    where people.contacts[serial].isUsed && people.isAnonymised(contact: serial) {
      keys.insert(.contact(id(serial)))
      for login in people.logins(ofContact: serial) { keys.insert(.user(id(login))) }
    }
    for serial in 1..<(people.users.last + 1) where !people.users[serial].isUsed { keys.insert(.user(id(serial))) }
    return keys.sorted()
  }
}

/// Keys of people who were anonymised or purged were destroyed.
public struct KeysDestroyed: PartitionChange {
  public static var code: UInt8 { 126 }
  public static var name: String { "keys-destroyed" }

  public var partition = 0
  public var keys: [SealKey] = []
  /// How often the key store has changed.
  public var generation: UInt64 = 0

  public init() {}

  public init(partition: Int, keys: [SealKey], generation: UInt64) {
    self.partition = partition
    self.keys = keys
    self.generation = generation
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    visitor.about("key store")
    try visitor.value(&partition, as: PartitionForm.self)
    try visitor.field("keys", &keys, as: ListForm<SealKeyForm>.self)
    try visitor.value(&generation, as: NumberForm<UInt64>.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    state.forgotten.settle(keys, generation)
  }
}

extension Turn {
  /// Decides, for the server itself, what follows from the destruction of keys.
  public func beginForgetting(now: Milliseconds) { beginUpkeep(CommandTable.forgetting, now: now) }

  /// Records that keys of a partition were destroyed.
  ///
  /// - Parameter generation: how often the key store has changed.
  public func decideDestroyed(
    _ keys: [SealKey], generation: UInt64, of partition: Int, holding cells: [HeldPartition]
  ) -> Outcome {
    home = nil
    others = cells
    return attempt { () throws(Halt) in
      let pending = try self.cell(partition).state.forgotten.pending
      let settled = keys.filter(pending.contains).sorted()
      if !settled.isEmpty { self.emit(KeysDestroyed(partition: partition, keys: settled, generation: generation)) }
    }
  }
}
