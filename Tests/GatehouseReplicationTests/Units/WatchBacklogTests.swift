import Testing

@testable import GatehouseReplication

@Suite struct WatchBacklogTests {
  private func answer(_ revision: Int64, bytes: Int = 1) -> WatchResponse {
    var answer = WatchResponse()
    answer.header.revision = revision
    var pair = KeyValue()
    pair.value = .init(repeating: 7, count: bytes)
    pair.modRevision = revision
    answer.events = [WatchEvent(pair: pair)]
    return answer
  }

  private func revisions(_ answer: WatchResponse?) -> [Int64]? { answer?.events.map(\.pair.modRevision) }

  @Test func whatCameMeanwhileIsOneAnswer() async {
    let backlog = WatchBacklog()
    for revision in 1...3 { #expect(await backlog.put(answer(Int64(revision)))) }
    let taken = await backlog.take()
    #expect(revisions(taken) == [1, 2, 3])
    #expect(taken?.header.revision == 3)
    #expect(await backlog.put(answer(4)))
    #expect(revisions(await backlog.take()) == [4])
  }

  /// The end of a watch is not lost among answers that came before it.
  @Test func aCancellationAmongAnswersIsSeen() async {
    let backlog = WatchBacklog()
    _ = await backlog.put(answer(1))
    var last = WatchResponse()
    last.isCanceled = true
    last.compactRevision = 9
    last.cancelReason = "compacted"
    _ = await backlog.put(last)
    let taken = await backlog.take()
    #expect(taken?.isCanceled == true && taken?.compactRevision == 9 && taken?.cancelReason == "compacted")
  }

  /// Everything arrives once and in order, however often the reader must wait for room.
  @Test func nothingIsLostWhereRoomIsShort() async {
    let backlog = WatchBacklog(mostBytes: 10)
    let count: Int64 = 2000
    let putting = Task {
      for revision in 1...count { guard await backlog.put(answer(revision, bytes: 4)) else { return false } }
      backlog.end()
      return true
    }
    var seen: [Int64] = []
    while let taken = await backlog.take() {
      #expect(taken.events.count <= 3)
      seen += revisions(taken) ?? []
      if seen.count % 7 == 0 { await Task.yield() }
    }
    #expect(await putting.value)
    #expect(seen == Array(1...count))
  }

  /// A handler that gives up lets go whoever waits for room.
  @Test func theEndLetsBothSidesGo() async {
    let backlog = WatchBacklog(mostBytes: 1)
    _ = await backlog.put(answer(1))
    let putting = Task { await backlog.put(answer(2)) }
    await Task.yield()
    backlog.end()
    #expect(await putting.value == false)
    #expect(revisions(await backlog.take()) == [1])
    #expect(await backlog.take() == nil)
  }
}
