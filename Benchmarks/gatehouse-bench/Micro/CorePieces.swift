import GatehouseCore

extension MicroPiece {
  /// Decisions, with their changes applied.
  static let corePieces = [
    MicroPiece(name: "login-check") { times in
      repeated(times, requests: users.map { ["LOGIN.CHECK", $0, "payroll"] })
    },
    MicroPiece(name: "login-check-unknown") { times in
      repeated(times, requests: [["LOGIN.CHECK", "nobody@acme.test", "payroll"]])
    },
    MicroPiece(name: "session-check") { times in
      let world = MicroWorld()
      let tokens = users.prefix(200).map { user in
        _ = OwnedArguments(["SESSION.CREATE", user, "payroll"]).withView(world.run)
        return world.text(2)
      }
      return repeated(times, requests: tokens.map { ["SESSION.CHECK", $0] }, in: world)
    },
    MicroPiece(name: "session-create") { times in
      repeated(times, requests: users.map { ["SESSION.CREATE", $0, "payroll"] })
    },
    MicroPiece(name: "timer-start-stop") { times in
      let requests = users.map { user in (["TIMER.START", user], ["TIMER.STOP", user]) }
      return repeated(times, pairs: requests, in: MicroWorld())
    },
  ]

  private static var users: [String] {
    (0..<MicroWorld.userCount).map { Population(seed: 1).person($0).userName }
  }

  private static func repeated(_ times: Int, requests: [[String]], in world: MicroWorld = MicroWorld()) -> Int {
    let requests = requests.map { OwnedArguments($0) }
    var sum = 0
    for index in 0..<times { sum &+= requests[index % requests.count].withView(world.run) }
    return sum
  }

  private static func repeated(_ times: Int, pairs: [([String], [String])], in world: MicroWorld) -> Int {
    let pairs = pairs.map { (OwnedArguments($0.0), OwnedArguments($0.1)) }
    var sum = 0
    for index in 0..<times {
      let pair = pairs[index % pairs.count]
      sum &+= pair.0.withView(world.run) &+ pair.1.withView(world.run)
    }
    return sum
  }
}
