/// The address that a webhook's requests go to: `https://example.com/hooks?x=1`.
///
/// Only what is needed to refuse what cannot work or must not leave the machine is looked at. To which network addresses
/// a name leads is decided for each connection, because a name can lead elsewhere tomorrow.
public struct WebhookAddress: Sendable, Equatable {
  public let text: String

  /// Why an address is refused, as it reads after "url".
  struct Fault: Error, Equatable {
    let text: String
  }

  static let mostBytes = 2048

  init(_ text: String) throws(Fault) {
    guard text.utf8.count <= Self.mostBytes else { throw Fault(text: "is longer than \(Self.mostBytes) bytes") }
    guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != 0x22 && $0 != 0x3c && $0 != 0x3e && $0 != 0x5c })
    else { throw Fault(text: "has characters that must be percent-encoded") }
    guard let end = text.firstRange(of: "://") else {
      throw Fault(text: "is no address; give one such as https://example.com/hooks")
    }
    let scheme = text[..<end.lowerBound].lowercased()
    guard scheme == "https" || scheme == "http" else { throw Fault(text: "must begin with https://") }
    let rest = text[end.upperBound...]
    guard !rest.contains("#") else { throw Fault(text: "has a fragment (#), which is never sent; leave it out") }
    let authority = rest.prefix { $0 != "/" && $0 != "?" }
    guard !authority.contains("@") else {
      throw Fault(text: "has a name or password before the host; sign with the webhook's secret instead")
    }
    let host = try Self.host(of: authority)
    guard scheme == "https" || Self.isLoopback(host) else {
      throw Fault(text: "must begin with https:// because \(host) is another machine")
    }
    self.text = text
  }

  /// The host, without the brackets of an IPv6 address.
  private static func host(of authority: Substring) throws(Fault) -> String {
    let (host, rest): (Substring, Substring)
    if authority.first == "[" {
      guard let close = authority.firstIndex(of: "]"),
        NetworkAddress(String(authority[authority.index(after: authority.startIndex)..<close])) != nil
      else { throw Fault(text: "has no valid IPv6 address between [ and ]") }
      host = authority[authority.index(after: authority.startIndex)..<close]
      rest = authority[authority.index(after: close)...]
    } else {
      host = authority.prefix { $0 != ":" }
      rest = authority[host.endIndex...]
      guard isHost(host) else { throw Fault(text: "names no host; give one such as https://example.com/hooks") }
    }
    if !rest.isEmpty {
      guard rest.first == ":", let port = UInt16(rest.dropFirst()), port > 0,
        rest.dropFirst().utf8.allSatisfy({ $0 &- 0x30 < 10 })
      else { throw Fault(text: "has no valid port after the host") }
    }
    return host.lowercased()
  }

  /// A name in ASCII, or an IPv4 address in its usual form. `0x7f.1`, which some programs take for 127.0.0.1, is neither.
  private static func isHost(_ host: Substring) -> Bool {
    let labels = host.split(separator: ".", omittingEmptySubsequences: false)
    guard host.utf8.count <= 253, let last = labels.last,
      labels.allSatisfy({ label in
        (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
          && label.utf8.allSatisfy {
            $0 &- 0x30 < 10 || ($0 | 0x20) &- 0x61 < 26 || $0 == 0x2d || $0 == 0x5f
          }
      })
    else { return false }
    // The last label of a name has a letter, and is no number in another form.
    let isNumeric = last.utf8.allSatisfy { $0 &- 0x30 < 10 } || last.lowercased().hasPrefix("0x")
    return !isNumeric || NetworkAddress(String(host)) != nil
  }

  private static func isLoopback(_ host: String) -> Bool {
    if host == "localhost" || host == "::1" { return true }
    return host.hasPrefix("127.") && NetworkAddress(host) != nil
  }
}
