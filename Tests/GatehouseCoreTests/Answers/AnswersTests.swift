import Testing

@testable import GatehouseCore

/// Answers under idempotency keys expire a few at a time, so that no turn scans all of them.
@Suite struct AnswersTests {
  private func key(_ number: Int) -> Digest { Digest(UInt64(number), 1, 2, 3) }

  private func answer(at time: Milliseconds) -> RememberedAnswer {
    var answer = RememberedAnswer()
    answer.until = time + Limits.idempotencyLife
    return answer
  }

  @Test func expiredAnswersGoTwoAtATime() {
    var answers = Answers()
    for number in 0..<3000 {
      answers.keep(answer(at: Milliseconds(number)), under: key(number), at: Milliseconds(number))
    }
    #expect(answers.kept.count == 3000)
    let later = Limits.idempotencyLife + 10_000
    for number in 0..<1000 {
      answers.keep(answer(at: later), under: key(3000 + number), at: later)
      #expect(answers.kept.count == 3000 - 1 - number)
      #expect(answers.kept[key(2 * number + 1)] == nil && answers.kept[key(2 * number + 2)] != nil)
    }
    for number in 0..<2000 { answers.keep(answer(at: later), under: key(4000 + number), at: later) }
    #expect(answers.kept.count == 3000, "all that is too old is gone")
    #expect(answers.kept.values.allSatisfy { $0.until > later })
  }

  @Test func aReusedKeyIsKeptAsLongAsOthers() {
    var answers = Answers()
    for number in 0..<3 { answers.keep(answer(at: 0), under: key(number), at: 0) }
    let later = Limits.idempotencyLife
    answers.keep(answer(at: later), under: key(2), at: later)
    #expect(Set(answers.kept.keys) == [key(2)])
    answers.keep(answer(at: later + 1), under: key(9), at: later + 1)
    #expect(Set(answers.kept.keys) == [key(2), key(9)])
    let end = 2 * Limits.idempotencyLife + 1
    answers.keep(answer(at: end), under: key(10), at: end)
    #expect(Set(answers.kept.keys) == [key(10)])
  }

  @Test func thereIsRoomOnceTheOldestHasExpired() {
    var answers = Answers()
    for number in 0..<Limits.answersOfPartition { answers.keep(answer(at: 5), under: key(number), at: 5) }
    let rooms = [5, 4 + Limits.idempotencyLife, 5 + Limits.idempotencyLife].map { answers.hasRoom(for: 0, at: $0) }
    #expect(rooms == [false, false, true])
    answers.beginEra()
    let hasRoom = answers.hasRoom(for: 0, at: 5)
    #expect(hasRoom)
  }
}
