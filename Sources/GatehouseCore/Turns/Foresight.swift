internal import CPrefetch

/// What is found out about a request before its turn comes, so that memory is on its way when it is read.
///
/// A read of a pipeline brings many requests, and of a hundred thousand users each one's index slot, row and name
/// lie somewhere else: waiting for them one after the other was a third of a login check's time. The lane goes over
/// such requests in steps; each step asks for what the next one needs and waits for nothing.
///
///     for each request: foresight = turn.foresee(request)
///     Foresight.steps times: for each request: hold foresight.partition and call foresight.advance
///     for each request: turn.begin(request, …, foresight) and so on
///
/// Each step runs under a hold of its own: a step may not follow a pointer that another thread has freed since the step
/// before. It is a guess about memory, and about nothing else: what is decided is read anew.
public struct Foresight: BitwiseCopyable, Sendable {
  /// Nothing is known.
  public static let none = Foresight()

  /// The command's place in the table; -1 where it was not looked up.
  var place = -1
  /// The word whose name `key` belongs to; -1 for none.
  var nameWord = -1
  var key = NameKey.none
  /// The partition whose memory is asked for; -1 where there is nothing to ask for any more.
  public private(set) var partition = -1
  private var target = Target.nothing

  /// What is asked for next.
  private enum Target: BitwiseCopyable, Sendable {
    case nothing
    /// The slot of the name index where the key's search begins.
    case nameSlot
    /// The slot that a session's id leads to.
    case sessionSlot(SessionID)
    /// The row of the user that the key leads to.
    case rowOfName
    /// The row of the user of a session.
    case rowOfSession(slot: Int)
    case details(user: Int)
  }

  /// How often to advance until nothing is left to be asked for.
  public static let steps = 3
}

extension Turn {
  /// Takes a first look at a request that will be carried out soon. It reads no state.
  public func foresee(_ request: Arguments) -> Foresight {
    var foresight = Foresight()
    guard let place = table.find(request[0]) else { return foresight }
    foresight.place = place
    switch table.gates[place].route {
    case .user(let word) where word < request.count && request[word].first != 0x23:
      let name = request[word]
      foldedWord = -1
      foldedCount = FoldedName.fold(name, into: foldedName)
      let key = NameKey(folded: UnsafeRawBufferPointer(rebasing: foldedName[..<foldedCount]), partitioning)
      foresight.begin(name: key, word: word)
    case .session(let word) where word < request.count:
      guard let id = SecretText.session(of: request[word]) else { break }
      foresight.begin(session: id, in: partitioning.partition(of: id))
    default: break
    }
    return foresight
  }
}

extension Foresight {
  fileprivate mutating func begin(name key: NameKey, word: Int) {
    self.key = key
    nameWord = word
    partition = key.partition
    target = .nameSlot
  }

  fileprivate mutating func begin(session id: SessionID, in partition: Int) {
    self.partition = partition
    target = .sessionSlot(id)
  }

  /// Asks for what can be known with the help of what was asked for last.
  ///
  /// - Parameter cell: the foresight's partition, which is held.
  public mutating func advance(_ cell: HeldPartition) {
    switch target {
    case .nothing: return
    case .nameSlot:
      target = .rowOfName
      cell.state.people.names.prefetch(key.hash)
    case .sessionSlot(let id):
      guard let slot = cell.state.slot(at: id) else { return end() }
      target = .rowOfSession(slot: slot)
      cell.state.sessions.rows.prefetch(slot)
    case .rowOfName:
      if let serial = cell.state.people.names.first(key.hash) { ask(forRowOf: serial, cell) } else { end() }
    case .rowOfSession(let slot):
      guard cell.state.sessions.rows.contains(slot) else { return end() }
      ask(forRowOf: Int(cell.state.sessions[slot].user), cell)
    case .details(let serial):
      end()
      guard cell.state.people.users.contains(serial) else { return }
      cell.state.people.users.withDetails(of: serial) { details in
        guard let first = details.baseAddress else { return }
        prefetch(first)
        // A username seldom reaches further.
        prefetch(first + min(details.count, 64))
      }
    }
  }

  private mutating func end() {
    target = .nothing
    partition = -1
  }

  private mutating func ask(forRowOf serial: Int, _ cell: HeldPartition) {
    guard cell.state.people.users.contains(serial) else { return end() }
    target = .details(user: serial)
    cell.state.people.users.prefetch(serial)
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
  fileprivate func prefetch(_ hash: UInt32) {
    if let start = start(of: hash) { CPrefetch.prefetch(start) }
  }
}
