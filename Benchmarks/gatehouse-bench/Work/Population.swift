/// The people of a load test. Person number `n` depends on the number alone, and is the same for every target.
struct Population: Sendable {
  static let products = ["payroll", "leave"]
  /// A session's key in Redis: as long as one of Gatehouse's tokens, and computable from its number.
  static let redisSession = "session:" + String(repeating: "s", count: 24) + RequestTemplate.slot
  /// The key that `SET` writes, for a session in its shortest form; no hash has this key.
  static let redisWritten = "written:" + String(repeating: "s", count: 24) + RequestTemplate.slot
  static let redisUser = "user:user" + RequestTemplate.slot
  static let redisLogin = "login:user" + RequestTemplate.slot
  static let userName = "user" + RequestTemplate.slot

  let seed: UInt64

  struct Person {
    let number: Int
    let first: String
    let last: String
    /// Every user has the first product, about half of them the second as well.
    let hasLeave: Bool

    var userName: String { "user" + twelveDigits(number) }
    var email: String { userName + "@acme.test" }
  }

  func person(_ number: Int) -> Person {
    var random = RandomNumbers(seed: seed ^ (UInt64(number) &* 0xD6E8_FEB8_6659_FD93))
    return Person(
      number: number,
      first: Self.firstNames[random.next(below: Self.firstNames.count)],
      last: Self.lastNames[random.next(below: Self.lastNames.count)],
      hasLeave: random.next() & 1 == 0)
  }

  private static let firstNames = [
    "Ana", "Boris", "Chloe", "Dmitri", "Elena", "Farid", "Grace", "Hugo", "Ines", "Jonas", "Katja", "Liam", "Marta",
    "Nils", "Olga", "Pavel", "Quinn", "Rosa", "Samir", "Tereza", "Ugo", "Vera", "Walid", "Xenia", "Yusuf", "Zuzana",
    "Amelie", "Bruno", "Clara", "David", "Emil", "Frieda",
  ]

  private static let lastNames = [
    "Almeida", "Bauer", "Costa", "Dvorak", "Eriksson", "Fischer", "Garcia", "Horvat", "Ivanov", "Jensen", "Kowalski",
    "Lehmann", "Moreau", "Novak", "Olsen", "Petrov", "Quintero", "Rossi", "Santos", "Tanaka", "Urban", "Virtanen",
    "Weber", "Xu", "Yilmaz", "Zeman", "Andersen", "Brandt", "Cerny", "Duarte", "Esposito", "Fontaine",
  ]
}

/// `number` with leading zeros, twelve digits in all.
func twelveDigits(_ number: Int) -> String {
  let digits = String(number)
  return String(repeating: "0", count: max(0, 12 - digits.utf8.count)) + digits
}
