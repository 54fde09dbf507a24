/// Serial numbers of a partition's rows: one, a short sorted list, or a bit each, whichever is smallest.
///
/// In a server with ten thousand small workspaces nearly every set of a partition has one member, which then needs no
/// memory of its own. The members of a large workspace take a bit each.
enum SerialSet: Sendable {
  case one(UInt32)
  /// Ascending.
  case list(ContiguousArray<UInt32>)
  case bits(SerialBits, count: Int)

  /// A list is replaced by bits once they are as small.
  private static let bitsPerSerial = 32

  static let empty = SerialSet.list([])

  var count: Int {
    switch self {
    case .one: 1
    case .list(let serials): serials.count
    case .bits(_, let count): count
    }
  }

  var isEmpty: Bool { count == 0 }

  func contains(_ serial: Int) -> Bool {
    switch self {
    case .one(let one): one == serial
    case .list(let serials): Self.index(of: UInt32(serial), in: serials).isFound
    case .bits(let bits, _): bits.contains(serial)
    }
  }

  func forEach(_ body: (Int) -> Void) {
    switch self {
    case .one(let serial): body(Int(serial))
    case .list(let serials): for serial in serials { body(Int(serial)) }
    case .bits(let bits, _): bits.forEach(body)
    }
  }

  mutating func insert(_ serial: Int) {
    switch self {
    case .one(let one):
      if one == serial { return }
      self = .list([min(one, UInt32(serial)), max(one, UInt32(serial))])
    case .list(var serials):
      // Nobody else refers to the array while it changes, or it would be copied.
      self = .one(0)
      let (index, isFound) = Self.index(of: UInt32(serial), in: serials)
      if !isFound { serials.insert(UInt32(serial), at: index) }
      self = Self.smallest(serials)
    case .bits(var bits, let count):
      self = .one(0)
      let isNew = bits.insert(serial)
      self = .bits(bits, count: isNew ? count + 1 : count)
    }
  }

  mutating func remove(_ serial: Int) {
    switch self {
    case .one(let one): if one == serial { self = .empty }
    case .list(var serials):
      self = .one(0)
      let (index, isFound) = Self.index(of: UInt32(serial), in: serials)
      if isFound { serials.remove(at: index) }
      self = Self.smallest(serials)
    case .bits(var bits, let count):
      self = .one(0)
      let wasThere = bits.remove(serial)
      self = .bits(bits, count: wasThere ? count - 1 : count)
    }
  }

  private static func smallest(_ serials: ContiguousArray<UInt32>) -> SerialSet {
    if serials.count == 1 { return .one(serials[0]) }
    guard let last = serials.last, serials.count > 2, serials.count * bitsPerSerial > Int(last) else {
      return .list(serials)
    }
    var bits = SerialBits()
    for serial in serials { bits.insert(Int(serial)) }
    return .bits(bits, count: serials.count)
  }

  private static func index(
    of serial: UInt32, in serials: ContiguousArray<UInt32>
  ) -> (index: Int, isFound: Bool) {
    var (low, high) = (0, serials.count)
    while low < high {
      let middle = (low + high) / 2
      if serials[middle] < serial { low = middle + 1 } else { high = middle }
    }
    return (low, low < serials.count && serials[low] == serial)
  }
}

extension SerialSet: Equatable {
  /// Whether the members are the same, in whatever form.
  static func == (one: SerialSet, other: SerialSet) -> Bool {
    guard one.count == other.count else { return false }
    var isSame = true
    one.forEach { if !other.contains($0) { isSame = false } }
    return isSame
  }
}
