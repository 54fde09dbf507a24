package import Glibc

/// Addresses, as the operator lists them: those that webhooks may connect to, and those of proxies that are believed.
///
/// The addresses of webhooks are chosen by the administrators of workspaces, who must not reach with them what only the
/// machine of the server can reach: other services on it, the internal network, the metadata service of a cloud. So only
/// public addresses are allowed unless the operator says more. Each address is looked at when it is connected to, after its
/// name was resolved.
package struct NetworkList: Sendable, Equatable {
  /// A network: the leading bits of an address of 16 bytes, in which IPv4 is `::ffff:a.b.c.d`.
  struct Network: Sendable, Equatable {
    let bytes: [UInt8]
    let bits: Int

    /// `10.1.0.0/16`, `fd00::/8`, or a single address.
    init?(_ text: some StringProtocol) {
      let parts = text.split(separator: "/", omittingEmptySubsequences: false)
      guard parts.count <= 2, let address = Self.address(String(parts[0])) else { return nil }
      let size = address.isVersion4 ? 32 : 128
      var bits = size
      if parts.count == 2 {
        guard let number = Int(parts[1]), (0...size).contains(number) else { return nil }
        bits = number
      }
      bytes = address.bytes
      self.bits = address.isVersion4 ? bits + 96 : bits
    }

    fileprivate static func address(_ text: String) -> (bytes: [UInt8], isVersion4: Bool)? {
      var four = in_addr()
      if inet_pton(AF_INET, text, &four) == 1 {
        return (mapped + withUnsafeBytes(of: four) { Array($0) }, true)
      }
      var six = in6_addr()
      guard inet_pton(AF_INET6, text, &six) == 1 else { return nil }
      return (withUnsafeBytes(of: six) { Array($0) }, false)
    }

    func contains(_ address: [UInt8]) -> Bool {
      for index in 0..<bits where (address[index / 8] ^ bytes[index / 8]) >> UInt8(7 - index % 8) & 1 != 0 {
        return false
      }
      return true
    }
  }

  /// The leading bytes of an IPv4 address in the form of IPv6.
  private static let mapped: [UInt8] = Array(repeating: 0, count: 10) + [0xff, 0xff]

  private static let loopback = networks("127.0.0.0/8 ::1")
  private static let `private` = networks("10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 fc00::/7")
  /// What is neither public nor private: link-local addresses (among them the metadata service of clouds), multicast, what
  /// is reserved, and IPv6 networks that lead to IPv4 addresses.
  private static let special = networks(
    "0.0.0.0/8 169.254.0.0/16 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24"
      + " 224.0.0.0/4 240.0.0.0/4 ::/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 2001::/23 2001:db8::/32 2002::/16"
      + " fe80::/10 fec0::/10 ff00::/8")

  private static func networks(_ text: String) -> [Network] { text.split(separator: " ").compactMap { Network($0) } }

  /// As `init` accepts it.
  package let text: String
  let allowsPublic: Bool
  private let allowed: [Network]

  package static let `public` = NetworkList("public")!
  package static let none = NetworkList("none")!

  package init?(_ text: String) {
    var allowsPublic = false
    var allowed: [Network] = []
    let words = text.lowercased().split(whereSeparator: { $0 == "," || $0 == " " })
    guard !words.isEmpty else { return nil }
    for word in words {
      switch word {
      case "none": guard words.count == 1 else { return nil }
      case "public": allowsPublic = true
      case "private": allowed += Self.private
      case "loopback": allowed += Self.loopback
      default:
        guard let network = Network(word) else { return nil }
        allowed.append(network)
      }
    }
    self.text = words.joined(separator: ",")
    self.allowsPublic = allowsPublic
    self.allowed = allowed
  }

  /// Whether an address is one of them; no, if it is none of IPv4 or IPv6.
  package func allows(_ address: UnsafePointer<sockaddr>) -> Bool {
    switch Int32(address.pointee.sa_family) {
    case AF_INET:
      let bytes = address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
        withUnsafeBytes(of: $0.pointee.sin_addr) { Array($0) }
      }
      return allows(Self.mapped + bytes)
    case AF_INET6:
      return allows(
        address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
          withUnsafeBytes(of: $0.pointee.sin6_addr) { Array($0) }
        })
    default: return false
    }
  }

  /// The same of an address as text; no, if it is none.
  package func allows(_ address: String) -> Bool {
    // A link-local address may have its interface behind it.
    Network.address(address.split(separator: "%").first.map(String.init) ?? "").map { allows($0.bytes) } ?? false
  }

  private func allows(_ bytes: [UInt8]) -> Bool {
    if allowed.contains(where: { $0.contains(bytes) }) { return true }
    let isSpecial = [Self.loopback, Self.private, Self.special].contains { $0.contains { $0.contains(bytes) } }
    return allowsPublic && !isSpecial
  }
}
