/// An Argon2 hash (RFC 9106), in the PHC string format: `$argon2id$v=19$m=19456,t=2,p=1$salt$digest`.
public struct Argon2Hash: Sendable, Equatable {
  public enum Variant: String, Sendable {
    case d = "argon2d"
    case i = "argon2i"
    case id = "argon2id"
  }

  /// What computing the hash takes.
  public struct Cost: Sendable, Equatable {
    /// In KiB.
    public let memory: Int
    /// Over the memory.
    public let passes: Int
    /// Parts of the memory that could be computed at the same time.
    public let lanes: Int

    public init(memory: Int, passes: Int, lanes: Int) {
      self.memory = memory
      self.passes = passes
      self.lanes = lanes
    }
  }

  public let variant: Variant
  /// 16 for Argon2 1.0, 19 for 1.3.
  public let version: Int
  public let cost: Cost
  public let salt: [UInt8]
  public let digest: [UInt8]

  /// The version that new hashes have.
  public static let newestVersion = 19

  public init(_ variant: Variant, version: Int = newestVersion, _ cost: Cost, salt: [UInt8], digest: [UInt8]) {
    self.variant = variant
    self.version = version
    self.cost = cost
    self.salt = salt
    self.digest = digest
  }

  public var text: String {
    "$\(variant.rawValue)$v=\(version)$m=\(cost.memory),t=\(cost.passes),p=\(cost.lanes)"
      + "$\(Base64.text(salt))$\(Base64.text(digest))"
  }

  /// The parts between the dollar signs, of which the first is the variant; nil if they are no such hash.
  init?(parts: [Substring]) {
    guard let variant = parts.first.flatMap({ Variant(rawValue: String($0)) }) else { return nil }
    var parts = parts.dropFirst()
    // Hashes of version 1.0 do not say so.
    var version = 16
    if let part = parts.first, part.hasPrefix("v=") {
      guard let number = HashNumber.of(part.dropFirst(2)), number == 16 || number == 19 else { return nil }
      version = number
      parts = parts.dropFirst()
    }
    guard parts.count == 3, let costs = parts.popFirst().flatMap({ HashNumber.named(["m", "t", "p"], $0) }),
      let salt = parts.popFirst().flatMap({ Base64.bytes($0) }), salt.count >= 8,
      let digest = parts.popFirst().flatMap({ Base64.bytes($0) }), digest.count >= 4,
      costs.allSatisfy({ $0 >= 1 }), costs[0] >= 8 * costs[2]
    else { return nil }
    self.init(
      variant, version: version, Cost(memory: costs[0], passes: costs[1], lanes: costs[2]), salt: salt, digest: digest)
  }

  /// Reads the text of a hash; nil if it is none.
  public init?(_ text: String) {
    guard text.hasPrefix("$") else { return nil }
    self.init(parts: text.dropFirst().split(separator: "$", omittingEmptySubsequences: false))
  }
}
