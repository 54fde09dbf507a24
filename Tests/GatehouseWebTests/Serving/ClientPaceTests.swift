import NIOCore
import Testing
@testable import GatehouseWeb

/// When a client has been too slow.
@Suite("HTTP: slow clients, by the clock")
struct ClientPaceTests {
  private let times = ClientPace.Times(patience: .seconds(10), idle: .seconds(60))

  private func at(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .seconds(seconds) }

  private func expect(_ pace: ClientPace, _ excess: ClientPace.Excess, at seconds: Int64) {
    let deadline = pace.deadline(times)
    #expect(deadline?.excess == excess && deadline?.time == at(seconds), "\(String(describing: deadline))")
  }

  @Test("a new connection, a head, and a body each have their time; an answer's computation has none")
  func phases() {
    var pace = ClientPace(at: at(0))
    expect(pace, .silent(isNew: true), at: 10)
    pace.received(1, at: at(4))
    expect(pace, .slowRequest, at: 14)
    // More of the head gives no more time.
    pace.received(1, at: at(13))
    expect(pace, .slowRequest, at: 14)
    pace.headEnded(at: at(13))
    expect(pace, .slowRequest, at: 23)
    // A body that flows does: 16 KiB a second.
    pace.received(160 * 1024, at: at(14))
    expect(pace, .slowRequest, at: 33)
    pace.requestEnded(at: at(15))
    #expect(pace.deadline(times) == nil && pace.owesAnswer)
    pace.writes(16 * 1024, at: at(90))
    expect(pace, .slowReader, at: 101)
    pace.sent(16 * 1024, at: at(91))
    pace.answered(at: at(91))
    expect(pace, .silent(isNew: false), at: 151)
  }

  @Test("what is not read for a while has more time the more it is, from the last progress on")
  func readers() {
    var pace = ClientPace(at: at(0))
    pace.received(1, at: at(0))
    pace.headEnded(at: at(0))
    pace.requestEnded(at: at(0))
    pace.writes(320 * 1024, at: at(1))
    expect(pace, .slowReader, at: 31)
    pace.sent(160 * 1024, at: at(20))
    expect(pace, .slowReader, at: 40)
  }

  @Test("a request that is answered before its body has come is answered once, and its body is not read without end")
  func early() {
    var pace = ClientPace(at: at(0))
    pace.received(1, at: at(0))
    pace.headEnded(at: at(0))
    #expect(pace.isAnswering && !pace.isAnsweredEarly)
    pace.answered(at: at(1))
    #expect(pace.isAnsweredEarly && !pace.isFlooding && pace.isReceiving)
    pace.received(4 * 1024 * 1024 + 1, at: at(1))
    #expect(pace.isFlooding)
    pace.requestEnded(at: at(2))
    #expect(!pace.isAnsweredEarly && !pace.isFlooding)
  }

  @Test("zero stands for as long as they like")
  func unlimited() {
    var pace = ClientPace(at: at(0))
    let none = ClientPace.Times(patience: .zero, idle: .seconds(60))
    #expect(pace.deadline(none) == nil)
    pace.received(1, at: at(0))
    #expect(pace.deadline(none) == nil)
  }
}
