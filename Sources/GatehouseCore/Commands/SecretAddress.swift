/// Addresses in which a secret may stand: `https://user:password@host/…`, `https://host/hook/token`, `…?token=x`.
public enum SecretAddress {
  /// What may be shown of a word that is an address: where it leads. nil if it is none, or tells no more than that.
  public static func shown(_ word: String) -> String? {
    // Most words are none, and looking for a text takes long.
    guard word.utf8.contains(UInt8(ascii: ":")), let mark = word.firstRange(of: "://") else { return nil }
    let scheme = word[..<mark.lowerBound]
    guard !scheme.isEmpty, scheme.utf8.allSatisfy({ isOfScheme($0) }) else { return nil }
    let rest = word[mark.upperBound...]
    let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
    let authority = rest[..<end]
    let host = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
    let hasMore = !(rest[end...].isEmpty || rest[end...] == "/")
    guard hasMore || host.startIndex != authority.startIndex else { return nil }
    return "\(scheme)://\(host)\(hasMore ? "/(redacted)" : "")"
  }

  private static func isOfScheme(_ byte: UInt8) -> Bool {
    (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || "+-.".utf8.contains(byte)
  }
}
