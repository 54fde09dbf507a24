internal import CPrefetch

/// What is found out about a request before its turn comes, so that memory is on its way when it is read.
///
/// A read of a pipeline brings many requests, and of a hundred thousand users each one's index slot, row and name
/// lie somewhere else: waiting for them one after the other was a third of a login check's time. The lane goes over
/// such requests in steps; each step asks for what the next one needs and waits for nothing.
///
///     for each request: foresight = turn.foresee(request, cells)
///     for each: foresight.approach(); for each: foresight.arrive()
///     for each: turn.begin(request, …, foresight) and so on
///
/// It is a guess about memory, and about nothing else: what is decided is read anew.
public struct Foresight: BitwiseCopyable, Sendable {
  /// Nothing is known.
  public static let none = Foresight()

  /// The command's place in the table; -1 where it was not looked up.
  var place = -1
  /// The word whose name `key` belongs to; -1 for none.
  var nameWord = -1
  var key = NameKey.none
  private var target = Target.nothing

  private enum Target: BitwiseCopyable, Sendable {
    case nothing
    /// The user that a name leads to, by the name's hash.
    case name(HeldPartition)
    case session(HeldPartition, slot: Int)
    case user(HeldPartition, serial: Int)
  }
}

extension Turn {
  /// Takes a first look at a request that will be carried out soon.
  ///
  /// - Parameter cells: the partitions at hand, by number.
  public func foresee(_ request: Arguments, _ cells: ContiguousArray<HeldPartition?>) -> Foresight {
    var foresight = Foresight()
    guard let place = table.find(request[0]) else { return foresight }
    foresight.place = place
    switch table.gates[place].route {
    case .user(let word) where word < request.count && request[word].first != 0x23:
      let name = request[word]
      foresight.nameWord = word
      foldedWord = -1
      foldedCount = FoldedName.fold(name, into: foldedName)
      foresight.key = NameKey(folded: UnsafeRawBufferPointer(rebasing: foldedName[..<foldedCount]), partitioning)
      if let cell = cells[foresight.key.partition] { foresight.begin(name: cell) }
    case .session(let word) where word < request.count:
      guard let id = SecretText.session(of: request[word]) else { break }
      if let cell = cells[partitioning.partition(of: id)], let slot = cell.state.slot(at: id) {
        foresight.begin(session: cell, slot)
      }
    default: break
    }
    return foresight
  }
}

extension Foresight {
  fileprivate mutating func begin(name cell: HeldPartition) {
    target = .name(cell)
    cell.state.names.prefetch(key.hash)
  }

  fileprivate mutating func begin(session cell: HeldPartition, _ slot: Int) {
    target = .session(cell, slot: slot)
    cell.state.sessions.prefetch(slot)
  }

  /// From what was asked for first to the user's row.
  public mutating func approach() {
    switch target {
    case .nothing, .user: return
    case .name(let cell):
      guard let serial = cell.state.names.first(key.hash) else { return target = .nothing }
      target = .user(cell, serial: serial)
      cell.state.users.prefetch(serial)
    case .session(let cell, let slot):
      let serial = Int(cell.state.sessions[slot].user)
      guard cell.state.users.contains(serial) else { return target = .nothing }
      target = .user(cell, serial: serial)
      cell.state.users.prefetch(serial)
    }
  }

  /// From the user's row to its details.
  public func arrive() {
    guard case .user(let cell, let serial) = target else { return }
    cell.state.users.withDetails(of: serial) { details in
      guard let first = details.baseAddress else { return }
      prefetch(first)
      // A username seldom reaches further.
      prefetch(first + min(details.count, 64))
    }
  }
}

extension RowTable {
  /// Asks for the memory of a row.
  @inline(__always)
  fileprivate func prefetch(_ serial: Int) {
    withRow(serial) { row in
      let first = UnsafeRawPointer(row)
      for line in 0...(MemoryLayout<Row>.stride - 1) / 64 { CPrefetch.prefetch(first + line * 64) }
    }
  }
}

extension NameIndex {
  /// Asks for the memory where the search for a hash begins.
  @inline(__always)
  fileprivate func prefetch(_ hash: UInt32) { withStart(hash) { CPrefetch.prefetch($0) } }
}
