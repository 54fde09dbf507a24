import Dispatch
import Synchronization

/// What an object does when it is asked one thing after the other: what concurrent answers are held against.
package protocol SequentialObject: Sendable {
  associatedtype State: Hashable
  associatedtype Call: Sendable
  associatedtype Answer: Sendable

  var initial: State { get }

  /// The state after a call that was answered so; nil where the object would not have answered so.
  func next(_ state: State, _ call: Call, _ answer: Answer) -> State?
}

/// A call by one of several clients: it took effect at some moment between its beginning and its end.
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

/// All that several clients asked of one object, and what they were answered.
package final class History<Object: SequentialObject>: Sendable {
  package typealias Entry = HistoryEntry<Object.Call, Object.Answer>

  private let entries = Mutex<[Entry]>([])

  package init() {}

  package var all: [Entry] { entries.withLock { $0 } }

  /// Asks, and notes when, and what was answered.
  package func record(_ call: Object.Call, _ ask: () throws -> Object.Answer) rethrows {
    let began = DispatchTime.now().uptimeNanoseconds
    let answer = try ask()
    let ended = DispatchTime.now().uptimeNanoseconds
    entries.withLock { $0.append(Entry(call, answer, began: began, ended: ended)) }
  }
}
