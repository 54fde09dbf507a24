/// Which names users, products, workspaces and services may have.
public enum EntityNames {
  /// A name of a product, workspace, service or licence type: lower-case letters, digits, and `._-` after the first.
  public static func isName(_ text: some StringProtocol) -> Bool {
    let bytes = text.utf8
    guard let first = bytes.first, bytes.count <= Limits.nameBytes, isAlphanumeric(first) else { return false }
    return bytes.allSatisfy { isAlphanumeric($0) || $0 == 0x2e || $0 == 0x5f || $0 == 0x2d }
  }

  /// A label of a host name (RFC 1123): lower-case letters, digits and inner hyphens, at most 63.
  public static func isSubdomain(_ text: String) -> Bool {
    let bytes = text.utf8
    guard let first = bytes.first, let last = bytes.last, bytes.count <= 63 else { return false }
    return isAlphanumeric(first) && isAlphanumeric(last)
      && bytes.allSatisfy { isAlphanumeric($0) || $0 == 0x2d }
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    byte &- 0x61 < 26 || byte &- 0x30 < 10
  }

  /// Why a text cannot be a username; nil if it can.
  public static func usernameFault(_ text: String) -> String? {
    let count = text.utf8.count
    guard count > 0 else { return "is empty" }
    guard text.utf8.first != 0x23 else { return "starts with #, which marks an id" }
    if count > Limits.usernameBytes { return "is longer than \(Limits.usernameBytes) bytes" }
    if isPrintableASCII(text) { return nil }
    if text.unicodeScalars.contains(where: { $0.properties.isWhitespace }) { return "has a space" }
    // Names that differ only in invisible characters look the same.
    if text.unicodeScalars.contains(where: UnicodeTables.isNotInNames) { return "has an invisible character" }
    // Case folding can make a name longer.
    return FoldedName(text).text.utf8.count > Limits.usernameBytes
      ? "is longer than \(Limits.usernameBytes) bytes" : nil
  }

  /// Whether all characters are visible ones of ASCII, which spares nearly every text the look-ups in the tables.
  private static func isPrintableASCII(_ text: String) -> Bool { text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f } }

  /// Whether a text looks like the name of a time zone. The zone table knows whether the zone exists.
  public static func isZone(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= Limits.nameBytes
      && text.utf8.allSatisfy { byte in
        (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || [0x2f, 0x5f, 0x2b, 0x2d].contains(byte)
      }
  }

  /// Whether a text looks like an e-mail address: something, one `@` and the name of a host, without invisible characters
  /// or the angle brackets in which mail programs put addresses.
  public static func isEmail(_ text: String) -> Bool {
    let bytes = text.utf8
    guard let at = bytes.firstIndex(of: 0x40), at != bytes.startIndex, bytes.count <= 254 else { return false }
    let domain = bytes[bytes.index(after: at)...]
    guard !domain.isEmpty, domain.allSatisfy(isOfHost), !bytes.contains(0x3c), !bytes.contains(0x3e) else {
      return false
    }
    return isPrintableASCII(text) || !text.unicodeScalars.contains(where: UnicodeTables.isNotInNames)
  }

  private static func isOfHost(_ byte: UInt8) -> Bool {
    (byte | 0x20) &- 0x61 < 26 || isAlphanumeric(byte) || byte == 0x2d || byte == 0x2e || byte >= 0x80
  }

  /// Whether a text has no visible character.
  public static func isBlank(_ text: String) -> Bool { text.unicodeScalars.allSatisfy(UnicodeTables.isNotInNames) }
}

extension Turn {
  /// The new username at word `index`.
  public func newUsername(_ index: Int) throws(Halt) -> String {
    let name = try text(index, "username", limit: Limits.usernameBytes)
    if let fault = EntityNames.usernameFault(name) { throw .refused(.syntax("username \(fault)", of: "username")) }
    return name
  }

  /// Text that must be a name of a product, workspace, service or licence type.
  public static func name(_ text: String, _ what: String) throws(Halt) -> String {
    guard EntityNames.isName(text) else {
      throw .refused(
        .syntax(
          "\(what) must have 1 to \(Limits.nameBytes) characters of a-z, 0-9, '.', '_' and '-', and start with a letter or digit",
          of: what))
    }
    return text
  }
}
