import GatehouseWire

/// Creates users, each once: the connection's share of the numbers.
struct UserSource: RequestSource {
  enum Form: Sendable {
    case gatehouse
    /// A hash per user and, if asked for, a string with the decision.
    case redis(strings: Bool)
  }

  private let form: Form
  private let population: Population
  private var next: Int
  private let end: Int
  private let step: Int
  private var stringIsDue = false
  private let string = RequestTemplate("SET", Population.redisLogin, "ALLOW")

  /// The source of connection `index` of `count` over `range`.
  init(_ form: Form, population: Population, range: Range<Int>, connection index: Int, of count: Int) {
    self.form = form
    self.population = population
    next = range.lowerBound + index
    end = range.upperBound
    step = count
  }

  mutating func next(_ output: inout ByteQueue, closing: Bool) -> Work? {
    guard next < end, !closing else { return nil }
    switch form {
    case .gatehouse:
      appendUser(&output)
      next += step
      return .userCreate
    case .redis(let strings):
      if stringIsDue {
        string.append(next, to: &output)
      } else {
        appendHash(&output)
      }
      stringIsDue = strings && !stringIsDue
      if !stringIsDue { next += step }
      return .store
    }
  }

  private func appendUser(_ output: inout ByteQueue) {
    let person = population.person(next)
    output.appendRequest(
      ["USER.CREATE", person.userName, "PRODUCT", Population.products[0]]
        + (person.hasLeave ? ["PRODUCT", Population.products[1]] : [])
        + ["FIRST", person.first, "LAST", person.last, "EMAIL", person.email, "NOINVITE"])
  }

  /// The same person as a hash: what Gatehouse stores, under short field names, without absent fields.
  private func appendHash(_ output: inout ByteQueue) {
    let person = population.person(next)
    let id = String(next + 1)
    output.appendRequest(
      [
        "HSET", "user:" + person.userName, "id", id, "contact", id, "first", person.first, "last", person.last,
        "email", person.email, "status", "active", "created", "1767225600000", Population.products[0], "1",
      ] + (person.hasLeave ? [Population.products[1], "1"] : []))
  }
}

/// Creates sessions for the first users, and keeps the tokens.
struct SessionSource: RequestSource {
  private let create = RequestTemplate("SESSION.CREATE", Population.userName, Population.products[0])
  private var next: Int
  private let end: Int
  private let step: Int
  private let users: Int
  private(set) var tokens: [String] = []

  init(sessions: Int, users: Int, connection index: Int, of count: Int) {
    next = index
    end = sessions
    step = count
    self.users = users
  }

  mutating func next(_ output: inout ByteQueue, closing: Bool) -> Work? {
    guard next < end, !closing else { return nil }
    create.append(next % users, to: &output)
    next += step
    return .sessionCreate
  }

  mutating func receive(_ reply: UnsafeRawBufferPointer, of work: Work) {
    var parser = ReplyParser()
    parser.append(reply)
    if let value = try? parser.next(), let token = value["session"]?.string { tokens.append(token) }
  }
}

/// Creates sessions as hashes in Redis, with the fields that `SESSION.CHECK` answers, without absent ones.
struct RedisSessionSource: RequestSource {
  private var next: Int
  private let end: Int
  private let step: Int
  private let users: Int

  init(sessions: Int, users: Int, connection index: Int, of count: Int) {
    next = index
    end = sessions
    step = count
    self.users = users
  }

  mutating func next(_ output: inout ByteQueue, closing: Bool) -> Work? {
    guard next < end, !closing else { return nil }
    let user = next % users
    output.appendRequest([
      "HSET", "session:" + String(repeating: "s", count: 24) + twelveDigits(next), "id", String(next + 1),
      "kind", "login", "user", String(user + 1), "username", "user" + twelveDigits(user),
      "product", Population.products[0], "workspace", "main",
      "created", "1767225600000", "expires", "1767268800000", "last-seen", "1767225600000",
    ])
    next += step
    return .store
  }
}
