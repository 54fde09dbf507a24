/// Serial numbers of a partition's rows as bits.
struct SerialBits: Sendable {
  private var words: ContiguousArray<UInt64> = []

  init() {}

  /// - Parameter last: the largest serial number that it will have.
  init(through last: Int) { words = ContiguousArray(repeating: 0, count: last >> 6 + 1) }

  var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

  var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

  @inline(__always)
  func contains(_ serial: Int) -> Bool {
    serial >> 6 < words.count && words[serial >> 6] & 1 << UInt64(serial & 63) != 0
  }

  /// - Returns: whether it was not there.
  @discardableResult
  mutating func insert(_ serial: Int) -> Bool {
    let (word, bit) = (serial >> 6, 1 << UInt64(serial & 63) as UInt64)
    if word >= words.count {
      // By an eighth instead of to the double: sets of a million people are measured by memory.
      words.reserveCapacity(word + 1 + word / 8)
      words.append(contentsOf: repeatElement(0, count: word + 1 - words.count))
    }
    if words[word] & bit != 0 { return false }
    words[word] |= bit
    return true
  }

  /// Inserts serial numbers none of which is larger than the set was made for.
  mutating func insert(_ serials: ContiguousArray<UInt32>.SubSequence) {
    words.withUnsafeMutableBufferPointer { words in
      for serial in serials { words[Int(serial >> 6)] |= 1 << UInt64(serial & 63) }
    }
  }

  /// - Returns: whether it was there.
  @discardableResult
  mutating func remove(_ serial: Int) -> Bool {
    guard contains(serial) else { return false }
    words[serial >> 6] &= ~(1 << UInt64(serial & 63))
    return true
  }

  /// Calls `body` with each serial number, in ascending order.
  func forEach(_ body: (Int) -> Void) {
    for (index, word) in words.enumerated() {
      var rest = word
      while rest != 0 {
        body(index << 6 + rest.trailingZeroBitCount)
        rest &= rest - 1
      }
    }
  }

  /// The serial numbers for which a condition holds, in ascending order.
  func filter(_ isIncluded: (Int) -> Bool) -> [Int] {
    var found: [Int] = []
    forEach { if isIncluded($0) { found.append($0) } }
    return found
  }

  /// The first serial numbers from one on.
  func first(_ most: Int, from serial: Int) -> [Int] {
    var found: [Int] = []
    var index = serial >> 6
    guard index < words.count else { return found }
    var rest = words[index] & (UInt64.max << UInt64(serial & 63))
    while true {
      while rest != 0, found.count < most {
        found.append(index << 6 + rest.trailingZeroBitCount)
        rest &= rest - 1
      }
      index += 1
      if found.count == most || index == words.count { return found }
      rest = words[index]
    }
  }

  mutating func formUnion(_ set: SerialSet) {
    switch set {
    case .one(let serial): insert(Int(serial))
    case .list(let serials):
      // Room for all of them at once: to grow with each of forty costs more than the rest of a search.
      if let last = serials.last { grow(through: Int(last)) }
      insert(serials[...])
    case .bits(let other, _): formUnion(other)
    }
  }

  mutating func formUnion(_ other: SerialBits) {
    if words.isEmpty {
      words = other.words
      return
    }
    if other.words.isEmpty { return }
    grow(through: other.words.count << 6 - 1)
    for index in other.words.indices { words[index] |= other.words[index] }
  }

  /// Makes room for serial numbers up to one.
  private mutating func grow(through last: Int) {
    guard last >> 6 >= words.count else { return }
    words.append(contentsOf: repeatElement(0, count: last >> 6 + 1 - words.count))
  }

  mutating func formIntersection(_ other: SerialBits) {
    for index in words.indices { words[index] &= index < other.words.count ? other.words[index] : 0 }
  }

  /// Takes the members of another away.
  mutating func subtract(_ other: SerialBits) {
    for index in words.indices where index < other.words.count { words[index] &= ~other.words[index] }
  }
}
