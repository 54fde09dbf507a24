import GatehouseCore
import Testing

@testable import GatehouseWeb

/// What a request to a webhook is made of.
struct WebhookRequestTests {
  @Test("as Python's hmac makes it of the same") func signature() throws {
    let secret = try #require(WebhookSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
    #expect(
      WebhookRequest.signature(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, Array(#"{"test": 2432232314}"#.utf8), secret)
        == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
  }

  @Test func pausesGrowAndHaveAnEnd() {
    #expect(Backoff.milliseconds(after: 1, asked: 0, chance: 1) == 250)
    #expect(Backoff.milliseconds(after: 1, asked: 0, chance: 0) == 125)
    #expect(Backoff.milliseconds(after: 4, asked: 0, chance: 1) == 2000)
    #expect(Backoff.milliseconds(after: 13, asked: 0, chance: 1) == 900_000)
    #expect(Backoff.milliseconds(after: .max, asked: 0, chance: 0) == 450_000)
    #expect(Backoff.milliseconds(after: 1, asked: 30, chance: 0) == 30_000)
    #expect(Backoff.milliseconds(after: 1, asked: 999_999, chance: 0) == 3_600_000)
  }
}
