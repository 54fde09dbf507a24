/// A hash by scrypt (RFC 7914), as passlib and the PHC string format write it: `$scrypt$ln=16,r=8,p=1$salt$digest`.
public struct ScryptHash: Sendable, Equatable {
  /// The binary logarithm of the cost N.
  public let logarithm: Int
  /// r: 128 r N bytes of memory are needed.
  public let blockSize: Int
  public let parallelism: Int
  public let salt: [UInt8]
  public let digest: [UInt8]

  init?(_ text: String) {
    let parts = text.split(separator: "$", omittingEmptySubsequences: false)
    guard parts.count == 5, parts[0].isEmpty, parts[1] == "scrypt",
      let numbers = HashNumber.named(["ln", "r", "p"], parts[2]), numbers.allSatisfy({ $0 >= 1 }), numbers[0] < 64,
      let salt = Base64.bytes(parts[3]), !salt.isEmpty,
      let digest = Base64.bytes(parts[4]), (16...64).contains(digest.count)
    else { return nil }
    (logarithm, blockSize, parallelism) = (numbers[0], numbers[1], numbers[2])
    self.salt = salt
    self.digest = digest
  }
}
