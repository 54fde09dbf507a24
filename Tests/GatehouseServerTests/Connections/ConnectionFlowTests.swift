import Testing

@testable import GatehouseServer

@Suite("The state machine of a connection")
struct ConnectionFlowTests {
  /// Events of a connection while its requests run, and its state when that ends.
  @Test(
    "work ends for its weightiest reason",
    arguments: [
      ([], true, .ready), ([], false, .ready), ([.slice], false, .inLine), ([.slice], true, .ready),
      ([.obstacle], true, .waiting), ([.slice, .obstacle], false, .waiting), ([.obstacle, .slice], false, .waiting),
      ([.end], false, .finishing), ([.end, .obstacle], false, .finishing), ([.slice, .end], true, .finishing),
    ] as [([ConnectionFlow.Stop], Bool, ConnectionFlow.State)])
  func ends(reasons: [ConnectionFlow.Stop], isAllDone: Bool, expected: ConnectionFlow.State) {
    var flow = ConnectionFlow()
    flow.begin()
    #expect(flow.goesOn)
    for reason in reasons { flow.stop(reason) }
    #expect(flow.goesOn == reasons.isEmpty && flow.isSliceOver == (reasons == [.slice]))
    flow.end(isAllDone: isAllDone)
    #expect(flow.state == expected)
  }

  @Test("the next slice continues, but not past an obstacle")
  func slices() {
    var flow = ConnectionFlow()
    flow.begin()
    flow.stop(.slice)
    flow.beginSlice()
    #expect(flow.goesOn)
    flow.obstruct()
    flow.beginSlice()
    #expect(!flow.goesOn)
  }

  @Test("a connection whose turn comes continues, or waits if something is in the way", arguments: [true, false])
  func turn(mayWork: Bool) {
    var flow = ConnectionFlow()
    flow.obstruct()
    #expect(flow.state == .waiting)
    flow.wait()
    flow.obstruct()
    #expect(flow.state == .inLine)
    let goesOn = flow.hasTurn(mayWork: mayWork)
    #expect(goesOn == mayWork && flow.state == (mayWork ? .inLine : .waiting))
  }

  @Test("a closed or finishing connection gets no turn, and closes once")
  func closed() {
    var flow = ConnectionFlow()
    flow.obstruct()
    flow.wait()
    flow.finish()
    let hasTurn = flow.hasTurn(mayWork: true)
    #expect(!hasTurn && flow.state == .finishing && flow.isEnding)
    let (first, second) = (flow.close(), flow.close())
    flow.finish()
    flow.obstruct()
    #expect(first && !second && flow.state == .closed && flow.isEnding)
  }

  @Test("a connection closed by its own request stays closed")
  func closedAtWork() {
    var flow = ConnectionFlow()
    flow.begin()
    _ = flow.close()
    flow.end(isAllDone: false)
    #expect(flow.state == .closed && !flow.goesOn)
  }

  @Test("impossible transitions stop the program")
  func impossible() async {
    await #expect(processExitsWith: .failure) {
      var flow = ConnectionFlow()
      flow.begin()
      flow.begin()
    }
    await #expect(processExitsWith: .failure) {
      var flow = ConnectionFlow()
      flow.end(isAllDone: true)
    }
    await #expect(processExitsWith: .failure) {
      var flow = ConnectionFlow()
      flow.wait()
    }
  }
}
