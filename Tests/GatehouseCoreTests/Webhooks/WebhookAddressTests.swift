import Testing

@testable import GatehouseCore

/// Which addresses a webhook may have.
struct WebhookAddressTests {
  @Test(arguments: [
    "https://example.com", "https://example.com/hooks?x=1", "https://example.com:8443/", "HTTPS://Example.COM/a",
    "https://10.0.0.7/x", "https://[2001:db8::1]:8443/x", "http://127.0.0.1:9000/h", "http://localhost/h",
    "http://[::1]:9000/h", "http://127.0.0.99/", "https://my_host.internal/x",
  ])
  func good(_ text: String) throws {
    #expect(try WebhookAddress(text).text == text)
  }

  @Test(arguments: [
    ("example.com/hooks", "is no address; give one such as https://example.com/hooks"),
    ("ftp://example.com/", "must begin with https://"), ("file:///etc/passwd", "must begin with https://"),
    ("http://example.com/", "must begin with https:// because example.com is another machine"),
    ("http://127.0.0.1.example.com/", "must begin with https:// because 127.0.0.1.example.com is another machine"),
    ("http://10.0.0.1/", "must begin with https:// because 10.0.0.1 is another machine"),
    ("https://", "names no host; give one such as https://example.com/hooks"),
    ("https:///x", "names no host; give one such as https://example.com/hooks"),
    ("https://0x7f.1/", "names no host; give one such as https://example.com/hooks"),
    ("https://2130706433/", "names no host; give one such as https://example.com/hooks"),
    ("https://127.1/", "names no host; give one such as https://example.com/hooks"),
    ("https://-a.example/", "names no host; give one such as https://example.com/hooks"),
    ("https://a..example/", "names no host; give one such as https://example.com/hooks"),
    ("https://user:pw@example.com/", "has a name or password before the host; sign with the webhook's secret instead"),
    ("https://example.com/#x", "has a fragment (#), which is never sent; leave it out"),
    ("https://example.com:0/", "has no valid port after the host"),
    ("https://example.com:99999/", "has no valid port after the host"),
    ("https://example.com:+80/", "has no valid port after the host"),
    ("https://[::1/", "has no valid IPv6 address between [ and ]"),
    ("https://[example]/", "has no valid IPv6 address between [ and ]"),
    ("https://exämple.com/", "has characters that must be percent-encoded"),
    ("https://example.com/a b", "has characters that must be percent-encoded"),
    ("https://example.com\\@evil.test/", "has characters that must be percent-encoded"),
    ("https://example.com/\r\nX: y", "has characters that must be percent-encoded"),
  ])
  func bad(_ text: String, _ why: String) {
    #expect(throws: WebhookAddress.Fault(text: why)) { try WebhookAddress(text) }
  }

  @Test func length() throws {
    let most = "https://example.com/" + String(repeating: "x", count: 2028)
    #expect(try WebhookAddress(most).text == most)
    #expect(throws: WebhookAddress.Fault(text: "is longer than 2048 bytes")) { try WebhookAddress(most + "x") }
  }
}
