internal import CPrefetch

/// What is found out about a request before its turn comes, so that memory is on its way when it is read.
///
/// A read of a pipeline brings many requests, and of a hundred thousand users each one's index slot, row and name
/// lie somewhere else: waiting for them one after the other was a third of a login check's time. The lane goes over
/// such requests in steps; each step asks for what the next one needs and waits for nothing.
///
///     for each request: foresight = turn.foresee(request, cells)
///     Foresight.steps times: for each request: foresight.advance()
///     for each request: turn.begin(request, …, foresight) and so on
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

  /// What was asked for last.
  private enum Target: BitwiseCopyable, Sendable {
    case nothing
    /// The slot of the name index where the key's search begins.
    case name(HeldPartition)
    case session(HeldPartition, slot: Int)
    /// The page that a user's row lies in.
    case page(HeldPartition, user: Int)
    case row(HeldPartition, user: Int)
  }

  /// How often to advance until nothing is left to be asked for.
  public static let steps = 3
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

  /// Asks for what can be known with the help of what was asked for last.
  public mutating func advance() {
    switch target {
    case .nothing: return
    case .name(let cell):
      if let serial = cell.state.names.first(key.hash) { ask(forPageOf: serial, cell) } else { target = .nothing }
    case .session(let cell, let slot):
      let serial = Int(cell.state.sessions[slot].user)
      if cell.state.users.contains(serial) { ask(forPageOf: serial, cell) } else { target = .nothing }
    case .page(let cell, let serial):
      target = .row(cell, user: serial)
      cell.state.users.prefetch(serial)
    case .row(let cell, let serial):
      target = .nothing
      cell.state.users.withDetails(of: serial) { details in
        guard let first = details.baseAddress else { return }
        prefetch(first)
        // A username seldom reaches further.
        prefetch(first + min(details.count, 64))
      }
    }
  }

  private mutating func ask(forPageOf serial: Int, _ cell: HeldPartition) {
    target = .page(cell, user: serial)
    cell.state.users.prefetchPage(serial)
  }
}

extension RowTable {
  /// Asks for what leads to a row.
  @inline(__always)
  fileprivate func prefetchPage(_ serial: Int) { withPage(serial) { CPrefetch.prefetch($0) } }

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
