import Dispatch
import Synchronization

/// The sequential specification of an object, against which concurrent answers are checked.
package protocol SequentialObject: Sendable {
  associatedtype State: Hashable
  associatedtype Call: Sendable
  associatedtype Answer: Sendable

  var initial: State { get }

  /// The state after a call with this answer; nil if the object would not have answered so.
  func next(_ state: State, _ call: Call, _ answer: Answer) -> State?
}

/// A call by one of several clients: it took effect at some moment between its start and its end.
package struct HistoryEntry<Call: Sendable, Answer: Sendable>: Sendable {
  package let call: Call
  package let answer: Answer
  /// In nanoseconds.
  package let began: UInt64
  package let ended: UInt64

  package init(_ call: Call, _ answer: Answer, began: UInt64, ended: UInt64) {
    self.call = call
    self.answer = answer
    self.began = began
    self.ended = ended
  }
}

/// All calls by several clients to one object, with their answers.
package final class History<Object: SequentialObject>: Sendable {
  package typealias Entry = HistoryEntry<Object.Call, Object.Answer>

  private let entries = Mutex<[Entry]>([])

  package init() {}

  package var all: [Entry] { entries.withLock { $0 } }

  /// Makes a call, and records its times and answer.
  package func record(_ call: Object.Call, _ ask: () throws -> Object.Answer) rethrows {
    let began = DispatchTime.now().uptimeNanoseconds
    let answer = try ask()
    let ended = DispatchTime.now().uptimeNanoseconds
    entries.withLock { $0.append(Entry(call, answer, began: began, ended: ended)) }
  }
}
