/// An IPv4 or IPv6 address in text form, in lower case.
///
/// Only its form is checked. It is shown as it was given: `::1` and `0:0:0:0:0:0:0:1` are not made the same.
public struct NetworkAddress: Sendable {
  public let text: String

  /// The longest address: an IPv6 address that ends in an IPv4 one, and a zone.
  private static let bytesMost = 64

  public init?(_ text: String) {
    guard text.utf8.count <= Self.bytesMost else { return nil }
    let text = text.lowercased()
    guard Self.isVersion4(text[...]) || Self.isVersion6(text) else { return nil }
    self.text = text
  }

  /// What an address belongs to: an IPv4 address stands for itself, an IPv6 one for the first 64 bits, which are those of a
  /// household or a server.
  public struct Network: Sendable, Hashable {
    let isVersion4: Bool
    /// The address of version 4, or the first half of the one of version 6.
    let bits: UInt64

    public init(isVersion4: Bool, bits: UInt64) {
      self.isVersion4 = isVersion4
      self.bits = bits
    }
  }

  public var network: Network {
    if !text.contains(":") { return Network(isVersion4: true, bits: UInt64(Self.bits(ofVersion4: text[...]))) }
    let halves = (text.split(separator: "%").first ?? "").split(separator: "::", omittingEmptySubsequences: false)
    let (first, last) = (Self.groups(halves.first ?? ""), halves.count == 2 ? Self.groups(halves[1]) : [])
    let groups = first + Array(repeating: 0, count: max(0, 8 - first.count - last.count)) + last
    // An IPv4 address in the form of IPv6 is the same (RFC 4291, 2.5.5.2).
    if groups[..<5].allSatisfy({ $0 == 0 }), groups[5] == 0xffff {
      return Network(isVersion4: true, bits: groups[6] << 16 | groups[7])
    }
    return Network(isVersion4: false, bits: groups[..<4].reduce(0) { $0 << 16 | $1 })
  }

  private static func groups(_ text: Substring) -> [UInt64] {
    text.split(separator: ":").flatMap { group -> [UInt64] in
      guard group.contains(".") else { return [UInt64(group, radix: 16) ?? 0] }
      let bits = bits(ofVersion4: group)
      return [UInt64(bits >> 16), UInt64(bits & 0xffff)]
    }
  }

  private static func bits(ofVersion4 text: Substring) -> UInt32 {
    text.split(separator: ".").reduce(0) { $0 << 8 | (UInt32($1) ?? 0) }
  }

  private static func isVersion4(_ text: Substring) -> Bool {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4
      && parts.allSatisfy { part in
        // `010` is 8 for some and 10 for others, so it is neither.
        part.utf8.allSatisfy { $0 &- 0x30 < 10 } && (part.count == 1 || part.first != "0") && UInt8(part) != nil
      }
  }

  private static func isVersion6(_ text: String) -> Bool {
    let parts = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
    if parts.count == 2 {
      guard !parts[1].isEmpty, parts[1].utf8.allSatisfy(isOfZone) else { return false }
    }
    let halves = parts[0].split(separator: "::", maxSplits: 2, omittingEmptySubsequences: false)
    guard halves.count <= 2 else { return false }
    var groups = 0
    for (index, half) in halves.enumerated() {
      if half.isEmpty, halves.count == 2 { continue }
      guard let count = countGroups(half, isLast: index == halves.count - 1) else { return false }
      groups += count
    }
    return halves.count == 2 ? groups < 8 : groups == 8
  }

  /// How many groups of 16 bits a text has; nil if it is not only such.
  private static func countGroups(_ text: Substring, isLast: Bool) -> Int? {
    var count = 0
    let groups = text.split(separator: ":", omittingEmptySubsequences: false)
    for (index, group) in groups.enumerated() {
      if isLast, index == groups.count - 1, isVersion4(group) {
        count += 2
      } else {
        guard 1...4 ~= group.utf8.count, group.utf8.allSatisfy(isHexadecimal) else { return nil }
        count += 1
      }
    }
    return count
  }

  private static func isHexadecimal(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 || byte &- 0x61 < 6 }

  private static func isOfZone(_ byte: UInt8) -> Bool {
    byte &- 0x30 < 10 || byte &- 0x61 < 26 || byte == 0x2d || byte == 0x2e || byte == 0x5f
  }
}
