import GatehouseCore
import GatehouseWire
import Testing

@testable import GatehouseServer

/// The states of a transaction and the events between them.
@Suite("A transaction")
struct TransactionTests {
  @Test func `commands come out as they went in, one after the other`() {
    let transaction = Held()
    #expect(transaction.count == nil && !transaction.isOpen && transaction.execute() == .notOpen)
    #expect(transaction.begin())
    #expect(transaction.isOpen && transaction.count == 0)
    let commands = [["ECHO", ""], ["ECHO", "a\r\nb"], ["PING"]]
    for words in commands { #expect(transaction.queue(words)) }
    #expect(transaction.count == 3)
    #expect(transaction.execute() == .ready(3))
    #expect(!transaction.isOpen && !transaction.isRunning)
    // The second command ran with the group; the first and third are the connection's own.
    transaction.run([.front, .decided(Reply(), horizon: 7, commandIndex: nil), .front])
    #expect(transaction.isRunning && transaction.count == 3)
    for (index, words) in commands.enumerated() {
      // A command that has to wait is returned again.
      let next = Held.Next(words: words, isAnswered: index == 1)
      #expect(transaction.next == next && transaction.next == next)
      transaction.advance()
    }
    #expect(transaction.next == nil && transaction.isRunning)
    transaction.end()
    #expect(transaction.count == nil && transaction.bytes == 0)
  }

  @Test func `an empty transaction ends at once`() {
    let transaction = Held()
    #expect(transaction.begin())
    #expect(transaction.execute() == .ready(0))
    transaction.run([])
    #expect(!transaction.isRunning && transaction.count == nil)
  }

  @Test func `an aborted transaction queues and runs nothing`() {
    let transaction = Held()
    #expect(transaction.begin())
    #expect(transaction.queue(["PING"]))
    transaction.abort()
    #expect(transaction.queue(["ECHO", "more"]), "it is answered, and not kept")
    #expect(transaction.isOpen && transaction.bytes == 0 && transaction.next == nil)
    #expect(transaction.execute() == .aborted)
    #expect(transaction.count == nil && transaction.execute() == .notOpen)
  }

  @Test func `nested MULTI aborts, and without MULTI there is nothing to abort`() {
    let transaction = Held()
    transaction.abort()
    #expect(transaction.begin())
    #expect(!transaction.begin())
    #expect(transaction.execute() == .aborted)
    #expect(transaction.begin() && transaction.execute() == .ready(0))
  }

  @Test func `it has limits`() {
    var limits = WireLimits()
    limits.transactionCommands = 3
    var transaction = Held(limits)
    #expect(transaction.begin())
    for _ in 0..<3 { #expect(transaction.queue(["PING"])) }
    #expect(!transaction.queue(["PING"]))
    #expect(transaction.execute() == .aborted)

    limits.transactionBytes = 100
    transaction = Held(limits)
    #expect(transaction.begin())
    #expect(transaction.queue(["ECHO", String(repeating: "x", count: 90)]))
    #expect(transaction.bytes == 94)
    #expect(!transaction.queue(["ECHO", "abc"]))
    #expect(transaction.execute() == .aborted && transaction.bytes == 0)
  }
}

/// A wrapper, so that events can be sent within an expectation.
private final class Held {
  private var transaction: Transaction

  init(_ limits: WireLimits = .standard) { transaction = Transaction(limits: limits) }

  var count: Int? { transaction.count }
  var bytes: Int { transaction.bytes }
  var isOpen: Bool { transaction.isOpen }
  var isRunning: Bool { transaction.isRunning }
  struct Next: Equatable {
    let words: [String]
    let isAnswered: Bool
  }

  enum Execution: Equatable {
    case notOpen
    case aborted
    case ready(Int)
  }

  private var ready: [OwnedArguments] = []

  var next: Next? {
    func words(_ request: OwnedArguments) -> [String] {
      request.withView { view in (0..<view.count).map { view.string($0) } }
    }
    return switch transaction.next {
    case nil: nil
    case .answered(let request, _)?: Next(words: words(request), isAnswered: true)
    case .waiting(let request)?: Next(words: words(request), isAnswered: false)
    }
  }

  func begin() -> Bool { transaction.begin() }
  func queue(_ words: [String]) -> Bool { OwnedArguments(words).withView { transaction.queue($0) } }
  func abort() { transaction.abort() }
  func execute() -> Execution {
    switch transaction.execute() {
    case .notOpen: return .notOpen
    case .aborted: return .aborted
    case .ready(let requests):
      ready = requests
      return .ready(requests.count)
    }
  }
  func run(_ answers: [CommandExecutor.GroupAnswer]) { transaction.run(ready, answers) }
  func advance() { transaction.advance() }
  func end() { transaction.end() }
}
