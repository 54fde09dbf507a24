/// Numbers in the texts of hashes.
enum HashNumber {
  /// A number of digits alone; nil if it is none, or has more than nine.
  static func of(_ text: some StringProtocol) -> Int? {
    guard (1...9).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return Int(text)
  }

  /// The numbers of `m=1,t=2`, in the order of the names; nil if others are there, or one is not.
  static func named(_ names: [String], _ text: some StringProtocol) -> [Int]? {
    let pairs = text.split(separator: ",", omittingEmptySubsequences: false)
    guard pairs.count == names.count else { return nil }
    var numbers: [Int] = []
    for name in names {
      guard let pair = pairs.first(where: { $0.hasPrefix("\(name)=") }),
        let number = of(pair.dropFirst(name.utf8.count + 1))
      else { return nil }
      numbers.append(number)
    }
    return numbers
  }

  /// A letter of the alphabet of `crypt` as its number.
  static func letter(_ byte: UInt8) -> Int? {
    switch byte {
    case 0x2e, 0x2f: Int(byte - 0x2e)
    case 0x30...0x39: Int(byte - 0x30) + 2
    case 0x41...0x5a: Int(byte - 0x41) + 12
    case 0x61...0x7a: Int(byte - 0x61) + 38
    default: nil
    }
  }

  /// A number of several such letters, the lowest first.
  static func letters(_ text: Substring) -> Int? {
    var number = 0
    for (index, byte) in text.utf8.enumerated() {
      guard let value = letter(byte) else { return nil }
      number |= value << (6 * index)
    }
    return number
  }
}
