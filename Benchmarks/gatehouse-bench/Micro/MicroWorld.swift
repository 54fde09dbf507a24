import GatehouseCore
import GatehouseStorage

/// Discards refused logins.
private final class NoRefusals: RefusalKeeper {
  func keep(_ refusal: RefusedLogin) {}
}

/// No command here needs seats.
private final class NoCounters: CounterReader {
  func used(_ pools: [SeatKey], directory: LSN) -> (seats: [Int], lsn: LSN)? { (pools.map { _ in 0 }, 0) }
  func counters(beside directory: LSN) -> Counters? { Counters() }
}

/// The core with some people in memory, without sockets, lanes or a log: what a lane does between parsing and encoding.
final class MicroWorld {
  static let userCount = 2000
  static let now: Milliseconds = 1_767_225_600_000

  let turn: Turn
  private let cells: [PartitionCell]
  private let directory: DirectoryCell
  private let connection = ConnectionFacts(id: 1, service: 1, rights: .all)
  private var record = ByteWriter()
  private var lsn: LSN = 0
  private var time = MicroWorld.now

  init() {
    let partitioning = Partitioning(count: 64, key: HashKey(low: 1, high: 2))
    cells = (0..<partitioning.count).map { PartitionCell(PartitionState(index: $0, partitioning: partitioning)) }
    directory = DirectoryCell(DirectoryState(created: Self.now))
    var random = RandomNumbers(seed: 1)
    turn = Turn(
      partitioning: partitioning, directory: directory.state.view, counters: NoCounters(), refusals: NoRefusals(),
      folderSecret: .zero,
      entropy: Entropy(
        fill: { block in
          for index in block.indices { block[index] = UInt8(truncatingIfNeeded: random.next()) }
        }, digest: Self.digest), digest: Self.digest, hmacSHA1: { _, _ in [] })
    // Sessions end once the service is deleted that opened them.
    apply(ServiceCreated(1, name: "bench", .all, secret: .zero))
    for (index, product) in Population.products.enumerated() {
      apply(ProductCreated(ProductID(index + 1), mainWorkspace, name: product))
    }
    for number in 0..<Self.userCount { addUser(number, partitioning) }
    turn.directory = directory.state.view
  }

  /// Uses the log's hash in place of the tokens' hash; both are SHA-256.
  private static func digest(_ bytes: UnsafeRawBufferPointer) -> Digest {
    let hash = Hash128(of: bytes)
    return Digest(hash.high, hash.low, 0, 0)
  }

  private func addUser(_ number: Int, _ partitioning: Partitioning) {
    let person = Population(seed: 1).person(number)
    let partition = NameKey(person.userName, partitioning).partition
    let cell = cells[partition]
    let contact: ContactID = cell.state.id(cell.state.people.contacts.last + 1)
    let user: UserID = cell.state.id(cell.state.people.users.last + 1)
    apply(
      ContactCreated(
        contact,
        fields: [
          ContactText(.first, person.first), ContactText(.last, person.last), ContactText(.email, person.email),
        ]))
    apply(
      UserCreated(
        user: user, contact: contact, username: person.userName, status: .active, workspaces: [mainWorkspace],
        fields: []))
    apply(AccessSet(user, old: nil, new: ProductAccess(product: 1, isEnabled: true)))
  }

  private func apply(_ change: some Change) {
    let change = change.carried
    lsn += 1
    let header = RecordHeader(
      time: Self.now, service: 1, actor: nil, subject: nil, connection: 1, command: "USER.CREATE", reason: "")
    change.forEachOwner(turn.partitioning) { partition in
      cells[partition].state.apply(change, lsn: lsn, header: header)
    } directory: {
      directory.state.apply(change, lsn: lsn, header: header)
    }
  }

  /// Decides a command and, if it changes something, encodes its record and commits it.
  ///
  /// - Returns: the length of the record and the number of the reply's nodes.
  @inline(never)
  func run(_ request: Arguments) -> Int {
    time += 1
    var commandIndex: Int?
    guard case .partition(let partition) = turn.begin(request, on: connection, now: time, commandIndex: &commandIndex)
    else {
      preconditionFailure("no partition: \(turn.reply)")
    }
    guard case .decided = turn.decide(home: cells[partition].held) else { preconditionFailure("more than one owner") }
    precondition(!turn.reply.isError, "a refusal")
    var size = turn.reply.nodes.count
    if !turn.changes.isEmpty {
      let header = turn.recordHeader
      record.reset()
      turn.encodeRecord(header, into: &record)
      size += record.count
      lsn += 1
      turn.commit(lsn, header)
    }
    turn.noteInMemory()
    turn.letGo()
    return size
  }

  /// The bytes of the last record.
  var lastRecord: ContiguousArray<UInt8> { record.bytes }

  /// The text of reply node `index`.
  func text(_ index: Int) -> String { turn.reply.text(of: turn.reply.nodes[index]) }
}
