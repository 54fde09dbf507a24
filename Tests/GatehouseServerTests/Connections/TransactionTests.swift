import GatehouseCore
import GatehouseWire
import Testing

@testable import GatehouseServer

/// The states of a transaction and what leads from one to the other.
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
    #expect(transaction.execute() == .running(3))
    #expect(!transaction.isOpen && transaction.isRunning)
    for words in commands {
      // A command that has to wait is brought again.
      #expect(transaction.next == words && transaction.next == words)
      transaction.advance()
    }
    #expect(transaction.next == nil && transaction.isRunning)
    transaction.end()
    #expect(transaction.count == nil && transaction.bytes == 0)
  }

  @Test func `an empty transaction is over at once`() {
    let transaction = Held()
    #expect(transaction.begin())
    #expect(transaction.execute() == .running(0))
    #expect(!transaction.isRunning && transaction.count == nil)
  }

  @Test func `one that was aborted keeps nothing and does nothing`() {
    let transaction = Held()
    #expect(transaction.begin())
    #expect(transaction.queue(["PING"]))
    transaction.abort()
    #expect(transaction.queue(["ECHO", "more"]), "it is answered, and not kept")
    #expect(transaction.isOpen && transaction.bytes == 0 && transaction.next == nil)
    #expect(transaction.execute() == .aborted)
    #expect(transaction.count == nil && transaction.execute() == .notOpen)
  }

  @Test func `MULTI within one aborts it, and outside of one nothing is aborted`() {
    let transaction = Held()
    transaction.abort()
    #expect(transaction.begin())
    #expect(!transaction.begin())
    #expect(transaction.execute() == .aborted)
    #expect(transaction.begin() && transaction.execute() == .running(0))
  }

  @Test func `it takes no more than its limits`() {
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

/// A transaction whose events can be asked within an expectation.
private final class Held {
  private var transaction: Transaction

  init(_ limits: WireLimits = .standard) { transaction = Transaction(limits: limits) }

  var count: Int? { transaction.count }
  var bytes: Int { transaction.bytes }
  var isOpen: Bool { transaction.isOpen }
  var isRunning: Bool { transaction.isRunning }
  var next: [String]? { transaction.next?.withView { view in (0..<view.count).map { view.string($0) } } }

  func begin() -> Bool { transaction.begin() }
  func queue(_ words: [String]) -> Bool { OwnedArguments(words).withView { transaction.queue($0) } }
  func abort() { transaction.abort() }
  func execute() -> Transaction.Execution { transaction.execute() }
  func advance() { transaction.advance() }
  func end() { transaction.end() }
}
