internal import CPrefetch

/// Looks ahead at a request and prefetches the memory that it will read.
///
/// One read from a pipelining client contains many requests. With a hundred thousand users, the index slot, row and name
/// of each are cold in the cache: waiting for them one after another took a third of a login check's time. The lane goes
/// over the requests in steps; each step prefetches what the next one needs and waits for nothing.
///
///     for each request: lookahead = turn.lookAhead(request)
///     Lookahead.steps times: for each request: hold lookahead.partition and call lookahead.advance
///     for each request: turn.begin(request, …, lookahead) and so on
///
/// Each step holds the partition anew, because it must not follow a pointer that another thread has freed since the step
/// before. A look-ahead is only a hint about memory: the decision reads everything again.
public struct Lookahead: BitwiseCopyable, Sendable {
  /// Nothing was looked up.
  public static let none = Lookahead()

  /// The command's index in the table; -1 if it was not looked up.
  var commandIndex = -1
  /// The index of the word with the name of `key`; -1 if there is none.
  var nameWord = -1
  var key = NameKey.none
  /// The partition whose memory is prefetched; -1 once there is nothing left to prefetch.
  public private(set) var partition = -1
  private var touched = Touched.nothing
  private var target = Target.nothing

  /// What is prefetched next.
  private enum Target: BitwiseCopyable, Sendable {
    case nothing
    /// The slot of the name index where the key's search begins.
    case nameSlot
    /// The slot of a session's id.
    case sessionSlot(SessionID)
    /// The row of an API key.
    case keyRow(APIKeyID)
    /// The row of the user under the key.
    case rowOfName
    /// The row of the user of a session.
    case rowOfSession(slot: Int)
    /// The row of the user of an API key.
    case rowOfKey(Int)
    case details(user: Int)
  }

  /// What a command touches besides the row and the name of its user.
  public enum Touched: BitwiseCopyable, Sendable {
    case nothing
    /// The row of the user's next session, and the newest session there is, which is linked to it.
    case newSession
    /// The row of the next entry, and the search for the entries of the user's contact.
    case newEntry
  }

  /// How often to advance until nothing is left to prefetch.
  public static let steps = 3
}

extension Turn {
  /// Starts to look ahead at a request that will run soon. It reads no state.
  public func lookAhead(_ request: Arguments) -> Lookahead {
    var lookahead = Lookahead()
    guard let commandIndex = table.find(request[0]) else { return lookahead }
    lookahead.commandIndex = commandIndex
    switch table.gates[commandIndex].route {
    case .user(let word) where word < request.count && request[word].first != 0x23:
      let name = request[word]
      foldedWord = -1
      foldedCount = FoldedName.fold(name, into: foldedName)
      let key = NameKey(folded: UnsafeRawBufferPointer(rebasing: foldedName[..<foldedCount]), partitioning)
      lookahead.begin(name: key, word: word, table.gates[commandIndex].touches)
    case .session(let word) where word < request.count:
      guard let id = SecretText.session(of: request[word]) else { break }
      lookahead.begin(session: id, in: partitioning.partition(of: id))
    case .key(let word) where word < request.count:
      guard let id = SecretText.apiKey(of: request[word]) else { break }
      lookahead.begin(key: id, in: partitioning.partition(of: id))
    default: break
    }
    return lookahead
  }
}

extension Lookahead {
  fileprivate mutating func begin(name key: NameKey, word: Int, _ touched: Touched) {
    self.touched = touched
    self.key = key
    nameWord = word
    partition = key.partition
    target = .nameSlot
  }

  fileprivate mutating func begin(session id: SessionID, in partition: Int) {
    self.partition = partition
    target = .sessionSlot(id)
  }

  fileprivate mutating func begin(key id: APIKeyID, in partition: Int) {
    self.partition = partition
    target = .keyRow(id)
  }

  /// Prefetches what the memory prefetched last leads to.
  ///
  /// - Parameter cell: the look-ahead's partition, which is held.
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
      if let serial = cell.state.people.names.first(key.hash) { fetch(rowOf: serial, cell) } else { end() }
    case .rowOfSession(let slot):
      guard cell.state.sessions.rows.contains(slot) else { return end() }
      fetch(rowOf: Int(cell.state.sessions[slot].user), cell)
    case .keyRow(let id):
      guard let serial = cell.state.serial(at: id) else { return end() }
      target = .rowOfKey(serial)
      cell.state.apiKeys.rows.prefetch(serial)
    case .rowOfKey(let serial):
      guard cell.state.apiKeys.rows.contains(serial) else { return end() }
      fetch(rowOf: Int(cell.state.apiKeys.rows[serial].user), cell)
    case .details(let serial):
      end()
      guard cell.state.people.users.contains(serial) else { return }
      cell.state.people.users.prefetchDetails(serial)
      switch touched {
      case .nothing: break
      case .newSession: cell.state.prefetchNewSession(of: serial)
      case .newEntry: cell.state.prefetchNewEntry(of: serial)
      }
    }
  }

  private mutating func end() {
    target = .nothing
    partition = -1
  }

  private mutating func fetch(rowOf serial: Int, _ cell: HeldPartition) {
    guard cell.state.people.users.contains(serial) else { return end() }
    target = .details(user: serial)
    cell.state.people.users.prefetch(serial)
  }
}

extension PartitionState {
  fileprivate func prefetchNewSession(of user: Int) {
    sessions.rows.prefetch(sessions.free != 0 ? Int(sessions.free) : sessions.rows.last + 1)
    let newest = Int(people.users[user].sessions)
    if newest != 0 { sessions.rows.prefetch(newest) }
  }

  fileprivate func prefetchNewEntry(of user: Int) {
    time.entries.prefetch(time.entries.last + 1)
    if let head = time.orders.address(ofHead: people.users[user].contact) { CPrefetch.prefetch(head) }
  }
}

extension RowTable {
  /// Prefetches the beginning of a row's details, such as a username.
  @inline(__always)
  func prefetchDetails(_ serial: Int) {
    guard contains(serial) else { return }
    withDetails(of: serial) { details in
      guard let first = details.baseAddress else { return }
      CPrefetch.prefetch(first)
      CPrefetch.prefetch(first + min(details.count, 64))
    }
  }

  /// Prefetches a row, also one that is not in use yet, if its page is there.
  @inline(__always)
  func prefetch(_ serial: Int) {
    let page = Self.pageIndex(serial)
    guard serial > 0, page < pages.count else { return }
    let first = UnsafeRawPointer(pages[page].address(of: Self.indexInPage(serial)))
    for line in 0...(MemoryLayout<Row>.stride - 1) / 64 { CPrefetch.prefetch(first + line * 64) }
  }
}

extension NameIndex {
  /// Prefetches the memory where the search for a hash begins.
  @inline(__always)
  fileprivate func prefetch(_ hash: UInt32) {
    if let start = start(of: hash) { CPrefetch.prefetch(start) }
  }
}
