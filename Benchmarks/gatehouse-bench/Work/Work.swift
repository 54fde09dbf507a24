import ArgumentParser

/// One kind of request, with its expected answer.
enum Work: UInt8, CaseIterable, Sendable {
  case loginCheck
  case sessionCheck
  case sessionCreate
  case timerStart
  case timerStop
  case userCreate
  case redisGet
  case redisHMGet
  case redisHGetAll
  case redisFunction
  case redisSet
  /// Any request that prepares a server.
  case store

  /// How every answer must begin; any other counts as an error.
  enum Expectation {
    case text(StaticString)
    /// This type byte, then a length or count above zero: neither null nor empty.
    case filled(UInt8)
    /// Any answer that is not an error.
    case success
  }

  var name: String {
    switch self {
    case .loginCheck: "login-check"
    case .sessionCheck: "session-check"
    case .sessionCreate: "session-create"
    case .timerStart: "timer-start"
    case .timerStop: "timer-stop"
    case .userCreate: "user-create"
    case .redisGet: "redis-get"
    case .redisHMGet: "redis-hmget"
    case .redisHGetAll: "redis-hgetall"
    case .redisFunction: "redis-function"
    case .redisSet: "redis-set"
    case .store: "store"
    }
  }

  var expectation: Expectation {
    switch self {
    case .loginCheck, .redisFunction: .text("$5\r\nALLOW")
    case .redisSet: .text("+OK")
    case .redisGet: .filled(UInt8(ascii: "$"))
    // The first field asked for is the status, which every user has.
    case .redisHMGet: .text("*4\r\n$6\r\nactive")
    case .sessionCheck, .sessionCreate, .timerStart, .timerStop, .userCreate, .redisHGetAll:
      .filled(UInt8(ascii: "*"))
    case .store: .success
    }
  }

  /// Whether `reply` is the expected answer.
  @inline(__always)
  func accepts(_ reply: UnsafeRawBufferPointer) -> Bool {
    switch expectation {
    case .text(let text):
      guard reply.count >= text.utf8CodeUnitCount else { return false }
      for index in 0..<text.utf8CodeUnitCount where reply[index] != text.utf8Start[index] { return false }
      return true
    case .filled(let lead):
      return reply.count > 2 && reply[0] == lead && reply[1] >= UInt8(ascii: "1") && reply[1] <= UInt8(ascii: "9")
    case .success:
      return reply[0] != UInt8(ascii: "-")
    }
  }
}

/// Which server is measured and, for Redis, with which of its commands.
enum Target: String, CaseIterable, Sendable, ExpressibleByArgument {
  case gatehouse
  case redisGet = "redis-get"
  case redisHMGet = "redis-hmget"
  case redisHGetAll = "redis-hgetall"
  case redisFunction = "redis-function"
  case redisSet = "redis-set"

  /// The only kind of request for a Redis target; Gatehouse gets a mix.
  var fixedMix: Mix? {
    switch self {
    case .gatehouse: nil
    case .redisGet: Mix(only: .single(.redisGet))
    case .redisHMGet: Mix(only: .single(.redisHMGet))
    case .redisHGetAll: Mix(only: .single(.redisHGetAll))
    case .redisFunction: Mix(only: .single(.redisFunction))
    case .redisSet: Mix(only: .single(.redisSet))
    }
  }
}
