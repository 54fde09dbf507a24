import Testing

@testable import GatehouseCore

/// People with passwords, and what a test does about their second factors. HMAC-SHA1 is replaced here; the tests of storage
/// and of the server have the real one.
struct SecondFactorScene {
  let core = CoreHarness(partitions: 4)

  init() {
    core.run("PRODUCT.CREATE payroll")
    core.run("USER.CREATE ana EMAIL ana@acme.test PRODUCT payroll NOINVITE")
    core.run("USER.CREATE bob PRODUCT payroll NOINVITE")
    core.run("USER.CREATE tom PRODUCT payroll ROLE training-administrator NOINVITE")
    for user in ["ana", "bob", "tom"] { core.run("PASSWORD.SET \(user) correct-horse") }
    core.decidesTwice = true
  }

  static func secret(in address: String) -> TimeSecret {
    let text = address.split(separator: "secret=").last?.prefix { $0 != "&" } ?? ""
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    let bits = text.flatMap { letter -> [UInt8] in
      let value = UInt8(alphabet.firstIndex(of: letter) ?? 0)
      return (0..<5).map { value >> (4 - UInt8($0)) & 1 }
    }
    let bytes = stride(from: 0, to: bits.count, by: 8).map { start in
      bits[start..<min(start + 8, bits.count)].reduce(UInt8(0)) { $0 << 1 | $1 }
    }
    return TimeSecret(bytes: bytes) ?? TimeSecret((0, 0), (0, 0))
  }

  /// The code of a secret some steps away from now.
  func code(_ secret: TimeSecret, _ steps: Int64 = 0) -> String {
    let number = TimeCode.code(secret, step: core.now / 30_000 + steps, CoreHarness.hmacSHA1)
    return String(String(number + 1_000_000).dropFirst())
  }

  func wrong(_ secret: TimeSecret) -> String { code(secret, 1000) }

  func enrol(_ user: String = "ana") -> (secret: TimeSecret, recovery: [String]) {
    let secret = Self.secret(in: core.run("TOTP.ENROL \(user)").text ?? "")
    let answer = core.run("TOTP.CONFIRM \(user) \(code(secret))")
    #expect(answer.items.count == 10, "\(answer)")
    core.advance(30_000)
    return (secret, answer.items.compactMap(\.text))
  }

  func logIn(_ options: String = "", _ user: String = "ana", _ password: String = "correct-horse") -> Answer {
    core.run("LOGIN.PASSWORD \(user) payroll \(password) \(options)")
  }

  func challenge(_ options: String = "") -> String { logIn(options)["challenge"].text ?? "no challenge" }
}
