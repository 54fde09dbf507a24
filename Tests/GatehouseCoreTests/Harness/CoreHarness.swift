import GatehouseTestSupport
import Testing

@testable import GatehouseCore

/// The core without a server: partitions, a directory, one turn, and a log in memory.
///
/// Every command runs as in the server: over its home partition first, and again over all owners that it asks for.
/// Every record is encoded, decoded, compared, and replayed into a second state, the replica.
final class CoreHarness {
  let partitioning: Partitioning
  var cells: [PartitionCell]
  var directory: DirectoryCell
  private var looksAhead = false
  let written: HarnessLog
  var now: Milliseconds
  /// The connection of the commands: the service `local` with all rights.
  var connection = ConnectionFacts(id: 1, service: 0, rights: .all)
  /// The horizon of the last command: the LSN for which its reply would wait.
  var horizon: LSN = 0
  /// How often the last command was decided.
  var decisions = 0
  /// How often the last list, count or search entered a partition.
  var slices = 0
  var changes: [AnyChange] = []
  /// The work that the last command needed.
  var neededWork: [any Work] = []
  /// Called after a search has looked through a partition.
  var whileSearching: ((Int) -> Void)?
  let turn: Turn
  /// The refused logins, oldest first.
  let refusals = KeptRefusals()
  /// The wrong guesses, which wait for nothing unless a test sets limits.
  let guesses = HarnessGuesses()
  /// The counters, which no owner has.
  let gate = HarnessGate()
  /// Lets something happen between a decision's look at the directory and its look at the counters.
  func whileCounting(_ act: @escaping () -> Void) { gate.meanwhile = act }
  /// Whether every decision is repeated over all owners and compared.
  var decidesTwice = false
  /// The running command, for failure messages.
  var words: [String] = []

  /// 2026-03-01T09:00:00Z.
  static let start: Milliseconds = 1_772_355_600_000

  init(partitions: Int = 4, now: Milliseconds = start, seed: UInt64 = 1) {
    partitioning = Partitioning(count: partitions, key: HashKey(low: seed, high: 2))
    let partitioning = partitioning
    self.now = now
    let fresh = { (0..<partitions).map { PartitionCell(PartitionState(index: $0, partitioning: partitioning)) } }
    cells = fresh()
    written = HarnessLog(replica: fresh(), DirectoryCell(DirectoryState(created: now)))
    directory = DirectoryCell(DirectoryState(created: now))
    directory.state.use(TestZones.table)
    var random = SeededRandom(seed: seed)
    let entropy = Entropy(
      fill: { buffer in for index in buffer.indices { buffer[index] = UInt8.random(in: 0...255, using: &random) } },
      digest: Self.digest)
    turn = Turn(
      partitioning: partitioning, directory: directory.state.view, counters: gate, refusals: refusals, guesses: guesses,
      folderSecret: Digest(7, 7, 7, 7), entropy: entropy, digest: Self.digest, hmacSHA1: Self.hmacSHA1)
  }

  /// Replaces SHA-256, which the core does not have: four SipHashes with different keys.
  static func digest(_ bytes: UnsafeRawBufferPointer) -> Digest {
    func part(_ number: UInt64) -> UInt64 { sipHash(bytes, key: HashKey(low: number, high: ~number)) }
    return Digest(part(1), part(2), part(3), part(4))
  }

  /// Replaces HMAC-SHA1, which the core does not have either.
  static func hmacSHA1(_ key: UnsafeRawBufferPointer, _ message: UnsafeRawBufferPointer) -> [UInt8] {
    var writer = ByteWriter()
    writer.block(key)
    writer.block(message)
    let digest = writer.withBytes(Self.digest)
    return withUnsafeBytes(of: (digest.a, digest.b, digest.c)) { Array($0.prefix(20)) }
  }

  var log: [ContiguousArray<UInt8>] { written.encoded }
  var records: [Record] { written.records }
  var replica: [PartitionCell] { written.replica }
  var replicaDirectory: DirectoryCell { written.replicaDirectory }
  var lsn: LSN { written.lsn }

  // MARK: Commands

  /// Runs a line of words; a word with spaces is in double quotes.
  @discardableResult
  func run(_ line: String) -> Answer { run(Self.words(line)) }

  @discardableResult
  func run(_ words: [String]) -> Answer { Answer(reply(to: words)) }

  /// Runs a line with the rights of a session.
  @discardableResult
  func run(_ line: String, as token: String) -> Answer { run(["AS", token] + Self.words(line)) }

  static func words(_ line: String) -> [String] {
    var words: [String] = []
    for (index, part) in line.split(separator: "\"", omittingEmptySubsequences: false).enumerated() {
      if index % 2 == 1 { words.append(String(part)) } else { words += part.split(separator: " ").map(String.init) }
    }
    return words
  }

  func reply(to words: [String]) -> Reply { reply(to: OwnedArguments(words), shown: words) }

  /// Runs words of any bytes.
  func reply(toBytes words: [[UInt8]]) -> Reply {
    let bytes = words.flatMap { $0 }
    var ranges: [ArgumentRange] = []
    for word in words {
      ranges.append(ArgumentRange(offset: ranges.reduce(0) { $0 + Int($1.count) }, count: word.count))
    }
    return bytes.withUnsafeBytes { bytes in
      ranges.withUnsafeBufferPointer { ranges in
        let base = bytes.baseAddress ?? UnsafeRawPointer(ranges.baseAddress!)
        let owned = OwnedArguments(copying: Arguments(base: base, ranges: ranges))
        return reply(to: owned, shown: words.map { String(decoding: $0, as: UTF8.self) })
      }
    }
  }

  private func reply(to arguments: OwnedArguments, shown words: [String]) -> Reply {
    arguments.withView { view in
      changes = []
      self.words = words
      decisions = 0
      horizon = 0
      turn.directory = directory.state.view
      neededWork = []
      var finished = FinishedWorks()
      while true {
        carryOut(view, finished)
        guard let work = turn.neededWork else { break }
        precondition(neededWork.count < 10, "a decision that never has enough done")
        neededWork.append(work)
        finished.add(perform(work))
      }
      turn.letGo()
      // Some clients turn simple strings into `true`: decisions and data must not be any.
      for node in turn.reply.nodes where node.kind == .simple {
        #expect(turn.reply.text(of: node) == "OK", "\(words)")
      }
      return turn.reply
    }
  }

  private func carryOut(_ view: Arguments, _ finished: FinishedWorks) {
    var commandIndex: Int?
    let start = turn.begin(view, on: connection, now: now, commandIndex: &commandIndex, lookahead(of: view))
    if !finished.isEmpty { turn.resume(with: finished) }
    switch start {
    case .refused: break
    case .server, .later: preconditionFailure("\(words[0]) is the server's business")
    case .partition(let home): settle { turn.decide(home: cells[home].held) }
    case .anywhere: settle { turn.decide(home: nil) }
    case .everywhere: gather()
    }
  }

  /// How the gates refuse a command of a service with these rights; nil if they let it pass.
  func refusalAtGate(_ words: [String], rights: ServiceRights) -> String? {
    OwnedArguments(words).withView { view in
      var commandIndex: Int?
      let connection = ConnectionFacts(id: 1, service: 1, rights: rights)
      guard case .refused = turn.begin(view, on: connection, now: now, commandIndex: &commandIndex) else { return nil }
      return Answer(turn.reply).text
    }
  }

  /// Every second command is prefetched first, which must make no difference.
  private func lookahead(of request: Arguments) -> Lookahead {
    looksAhead.toggle()
    guard looksAhead else { return .none }
    var lookahead = turn.lookAhead(request)
    for _ in 0..<Lookahead.steps where lookahead.partition >= 0 { lookahead.advance(cells[lookahead.partition].held) }
    #expect(lookahead.partition < 0, "a look-ahead that does not come to its end")
    return lookahead
  }
}
