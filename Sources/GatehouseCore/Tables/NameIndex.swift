/// A hash index from a name's hash to serial numbers: open addressing with linear probing, four bytes a
/// slot. The names themselves stay in the rows; the caller compares them.
public struct NameIndex: Sendable {
  private static var empty: UInt32 { 0 }
  private static var deleted: UInt32 { .max }

  private var slots: ContiguousArray<UInt32> = []
  private var used = 0
  /// Entries, without the marks of deleted ones.
  public private(set) var count = 0

  public init() {}

  /// The serial number under `hash` for which `matches` is true.
  @inline(__always)
  public func find(_ hash: UInt32, _ matches: (Int) -> Bool) -> Int? {
    guard !slots.isEmpty else { return nil }
    let mask = slots.count - 1
    var index = Int(hash) & mask
    while true {
      let slot = slots[index]
      if slot == Self.empty { return nil }
      if slot != Self.deleted, matches(Int(slot)) { return Int(slot) }
      index = (index + 1) & mask
    }
  }

  /// The serial number that the search for a hash meets first: most often the one that is looked for.
  @inline(__always)
  func first(_ hash: UInt32) -> Int? {
    guard !slots.isEmpty else { return nil }
    let slot = slots[Int(hash) & (slots.count - 1)]
    return slot == Self.empty || slot == Self.deleted ? nil : Int(slot)
  }

  /// Calls `body` with where the search for a hash begins.
  @inline(__always)
  func withStart(_ hash: UInt32, _ body: (UnsafeRawPointer) -> Void) {
    guard !slots.isEmpty else { return }
    slots.withUnsafeBufferPointer { body($0.baseAddress! + (Int(hash) & ($0.count - 1))) }
  }

  /// Calls `body` with every serial number, in no order.
  public func forEach(_ body: (Int) -> Void) {
    for slot in slots where slot != Self.empty && slot != Self.deleted { body(Int(slot)) }
  }

  /// Makes room for `count` entries at once.
  public mutating func reserve(_ count: Int) {
    precondition(slots.isEmpty)
    var capacity = 8
    while capacity * 3 < (count + 1) * 5 { capacity *= 2 }
    slots = ContiguousArray(repeating: Self.empty, count: capacity)
  }

  /// Adds a serial number; `hashOf` gives the hash of those already in, for when the index grows.
  public mutating func insert(_ serial: Int, hash: UInt32, hashOf: (Int) -> UInt32) {
    if (used + 1) * 4 > slots.count * 3 { grow(hashOf) }
    place(UInt32(serial), hash)
    count += 1
    used += 1
  }

  public mutating func remove(_ serial: Int, hash: UInt32) {
    guard !slots.isEmpty else { return }
    let mask = slots.count - 1
    var index = Int(hash) & mask
    while slots[index] != Self.empty {
      if slots[index] == UInt32(serial) {
        slots[index] = Self.deleted
        count -= 1
        return
      }
      index = (index + 1) & mask
    }
  }

  private mutating func place(_ serial: UInt32, _ hash: UInt32) {
    let mask = slots.count - 1
    var index = Int(hash) & mask
    while slots[index] != Self.empty { index = (index + 1) & mask }
    slots[index] = serial
  }

  private mutating func grow(_ hashOf: (Int) -> UInt32) {
    let old = slots
    var capacity = 8
    while capacity * 3 < (count + 1) * 5 { capacity *= 2 }
    slots = ContiguousArray(repeating: Self.empty, count: capacity)
    used = count
    for slot in old where slot != Self.empty && slot != Self.deleted { place(slot, hashOf(Int(slot))) }
  }
}
