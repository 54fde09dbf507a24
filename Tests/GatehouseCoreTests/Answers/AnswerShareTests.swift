import Testing

@testable import GatehouseCore

/// How many answers each service may have kept.
@Suite struct AnswerShareTests {
  private func key(_ number: Int) -> Digest { Digest(UInt64(number), 0, 0, 0) }

  private func answer(_ service: ServiceID, until: Milliseconds) -> RememberedAnswer {
    var answer = RememberedAnswer()
    answer.until = until
    answer.service = service
    return answer
  }

  @Test("W4: a service that repeats without end takes no room from another") func shares() {
    var answers = Answers()
    for number in 0..<Limits.answersOfService { answers.keep(answer(1, until: 100), under: key(number), at: 0) }
    let first = [1, 2].map { answers.hasRoom(for: $0, at: 0) }
    #expect(first == [false, true])
    for service in [2, 3] as [ServiceID] {
      for number in 0..<Limits.answersOfService {
        answers.keep(answer(service, until: 100), under: key(Int(service) * 1_000_000 + number), at: 0)
      }
    }
    // All have more than there may be; another one still finds room.
    let count = answers.kept.count
    #expect(count > Limits.answersOfPartition)
    let later = [2, 4].map { answers.hasRoom(for: $0, at: 0) }
    #expect(later == [false, true])
    // What has expired makes room.
    let last = answers.hasRoom(for: 1, at: 100)
    #expect(last)
  }

  @Test("a snapshot keeps whose they are") func snapshots() throws {
    let core = CoreHarness()
    core.run("USER.CREATE ana NOINVITE")
    core.run("SERVICE.CREATE boss ADMIN")
    core.connection = ConnectionFacts(id: 2, service: 1, rights: .all)
    core.run("USER.SET ana first A IDEM k1")
    try core.restart()
    #expect(core.cells.flatMap { $0.state.answers.kept.values.map(\.service) } == [1])
    #expect(Invariants.check(core.cells, core.wholeDirectory).isEmpty)
  }
}
