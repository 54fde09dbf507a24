/// Random requests of a mix, without end.
struct MixSource: RequestSource {
  /// What all connections of a run share.
  struct Settings: Sendable {
    var mix: Mix
    var users: Int
    var product = Population.products[0]
    /// The number of the first user that `user-create` creates.
    var firstNewUser: Int
    /// The licence type of the product that `user-create` assigns.
    var licence: String?
    var tokens = TokenRequests()
  }

  private let settings: Settings
  private let login: RequestTemplate
  private let sessionCreate: RequestTemplate
  private let timerStart: RequestTemplate
  private let timerStop: RequestTemplate
  private let userCreate: RequestTemplate
  private let get = RequestTemplate("GET", Population.redisLogin)
  private let hmget = RequestTemplate("HMGET", Population.redisUser, "status", "payroll", "licence", "until")
  private let hgetall = RequestTemplate("HGETALL", Population.redisSession)
  private let function: RequestTemplate
  private let set = RequestTemplate("SET", Population.redisWritten, Population.userName)

  private var random: RandomNumbers
  private var newUser: Int
  private let newUserStep: Int
  /// The users whose timers this connection starts and stops. No other connection uses them, or the two would
  /// interfere.
  private let ownUsers: Range<Int>
  private var runningTimer: Int?

  /// The source of connection `index` of `count`.
  init(_ settings: Settings, connection index: Int, of count: Int, seed: UInt64) {
    self.settings = settings
    let product = settings.product
    login = RequestTemplate("LOGIN.CHECK", Population.userName, product)
    sessionCreate = RequestTemplate("SESSION.CREATE", Population.userName, product)
    timerStart = RequestTemplate("TIMER.START", Population.userName)
    timerStop = RequestTemplate("TIMER.STOP", Population.userName)
    let licence = settings.licence.map { ["LICENCE", product, $0] } ?? []
    userCreate = RequestTemplate(
      ["USER.CREATE", "made" + RequestTemplate.slot, "PRODUCT", product] + licence + [
        "FIRST", "Ana", "LAST", "Novak", "EMAIL", "made" + RequestTemplate.slot + "@acme.test", "NOINVITE",
      ])
    function = RequestTemplate("FCALL_RO", RedisFunction.name, "1", Population.redisUser, product)
    var seeds = RandomNumbers(seed: seed ^ UInt64(index) &* 0x2545_F491_4F6C_DD1D)
    random = RandomNumbers(seed: seeds.next())
    newUser = settings.firstNewUser + index
    newUserStep = count
    ownUsers = (settings.users * index / count)..<(settings.users * (index + 1) / count)
  }

  @inline(__always)
  mutating func next(_ output: inout ByteQueue, closing: Bool) -> Work? {
    if closing { return runningTimer == nil ? nil : nextTimer(&output) }
    let wheel = settings.mix.wheel
    let part = wheel.count == 1 ? wheel[0] : wheel[random.next(below: wheel.count)]
    switch part {
    case .timerPair: return nextTimer(&output)
    case .single(let work):
      append(work, to: &output)
      return work
    }
  }

  private mutating func nextTimer(_ output: inout ByteQueue) -> Work {
    if let user = runningTimer {
      runningTimer = nil
      timerStop.append(user, to: &output)
      return .timerStop
    }
    let user = ownUsers.lowerBound + random.next(below: ownUsers.count)
    runningTimer = user
    timerStart.append(user, to: &output)
    return .timerStart
  }

  @inline(__always)
  private mutating func append(_ work: Work, to output: inout ByteQueue) {
    switch work {
    case .loginCheck: login.append(random.next(below: settings.users), to: &output)
    case .sessionCheck: settings.tokens.append(random.next(below: settings.tokens.count), to: &output)
    case .sessionCreate: sessionCreate.append(random.next(below: settings.users), to: &output)
    case .userCreate:
      userCreate.append(newUser, to: &output)
      newUser += newUserStep
    case .redisGet: get.append(random.next(below: settings.users), to: &output)
    case .redisHMGet: hmget.append(random.next(below: settings.users), to: &output)
    case .redisHGetAll: hgetall.append(random.next(below: settings.tokens.count), to: &output)
    case .redisFunction: function.append(random.next(below: settings.users), to: &output)
    case .redisSet: set.append(random.next(below: settings.users), to: &output)
    case .timerStart, .timerStop, .store: preconditionFailure("never drawn from a mix by itself")
    }
  }
}
