import Crypto
import FoundationEssentials
import GatehouseCore

/// An event as a signed request (Standard Webhooks, webhook.com): `webhook-id` names the event, also when it is sent again,
/// and the signature is over id, time and body.
struct WebhookRequest: Sendable {
  let url: String
  let headers: [String]
  let body: [UInt8]

  /// - Parameters:
  ///   - secrets: with each of which it is signed.
  ///   - now: unix milliseconds.
  init(_ event: CloudEvent, to url: String, secrets: [WebhookSecret], now: Milliseconds) {
    let body = Array(event.text.utf8)
    let time = now / 1000
    self.url = url
    self.body = body
    headers = [
      "Content-Type: \(CloudEvent.contentType)", "webhook-id: \(event.id)", "webhook-timestamp: \(time)",
      "webhook-signature: \(secrets.map { Self.signature(event.id, time, body, $0) }.joined(separator: " "))",
    ]
  }

  static func signature(_ id: String, _ time: Int64, _ body: [UInt8], _ secret: WebhookSecret) -> String {
    var hmac = HMAC<SHA256>(key: SymmetricKey(data: secret.bytes))
    hmac.update(data: Array("\(id).\(time).".utf8))
    hmac.update(data: body)
    return "v1,\(Data(hmac.finalize()).base64EncodedString())"
  }
}

/// How a request ended.
enum WebhookAnswer: Sendable, Equatable {
  /// The receiver has answered; it may have said in how many seconds to try again.
  case status(Int, retryAfter: Int)
  /// There is no answer, and why.
  case failed(String)
  /// The server stops, and nobody knows whether the receiver has got it.
  case abandoned
}
