/// A hash index from a name's hash to serial numbers: open addressing with linear probing, eight bytes a slot. The
/// names stay in the rows; the caller compares them. A slot contains the hash too, so that nearly every row that is
/// fetched has the name looked for: all but one in four milliard.
///
/// The storage decides where the slots are: in one array (`NameIndex`), or in copy-on-write pages (`SharedIndex`).
public struct HashIndex<Slots: HashSlots>: Sendable {
  typealias Slot = HashSlot

  private var slots = Slots()
  private var used = 0
  /// The number of entries, without tombstones.
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
      if slot == .empty { return nil }
      if slot.hash == hash, slot.serial != Slot.deleted.serial, matches(Int(slot.serial)) { return Int(slot.serial) }
      index = (index + 1) & mask
    }
  }

  /// The first serial number under a hash; usually the only one.
  @inline(__always)
  func first(_ hash: UInt32) -> Int? { find(hash) { _ in true } }

  /// Calls `body` with every serial number, in no particular order.
  public func forEach(_ body: (Int) -> Void) {
    for slot in slots where slot.isUsed { body(Int(slot.serial)) }
  }

  /// Makes room for `count` entries at once.
  public mutating func reserve(_ count: Int) {
    precondition(slots.isEmpty)
    slots = Self.room(for: count)
  }

  /// Adds an entry; several may have the same hash.
  public mutating func insert(_ serial: Int, hash: UInt32) {
    if (used + 1) * 4 > slots.count * 3 { grow() }
    place(Slot(serial: UInt32(serial), hash: hash))
    count += 1
    used += 1
  }

  public mutating func remove(_ serial: Int, hash: UInt32) {
    guard !slots.isEmpty else { return }
    let mask = slots.count - 1
    var index = Int(hash) & mask
    while slots[index] != .empty {
      if slots[index].serial == UInt32(serial) {
        slots[index] = .deleted
        count -= 1
        return
      }
      index = (index + 1) & mask
    }
  }

  private mutating func place(_ slot: Slot) {
    let mask = slots.count - 1
    var index = Int(slot.hash) & mask
    while slots[index] != .empty { index = (index + 1) & mask }
    slots[index] = slot
  }

  private mutating func grow() {
    let old = slots
    slots = Self.room(for: count)
    used = count
    for slot in old where slot.isUsed { place(slot) }
  }

  private static func room(for count: Int) -> Slots {
    var capacity = 8
    while capacity * 3 < (count + 1) * 5 { capacity *= 2 }
    return Slots(repeating: .empty, count: capacity)
  }
}

/// One slot of a hash index.
public struct HashSlot: BitwiseCopyable, Sendable, Equatable {
  var serial: UInt32
  var hash: UInt32

  static let empty = HashSlot(serial: 0, hash: 0)
  static let deleted = HashSlot(serial: .max, hash: 0)

  var isUsed: Bool { self != .empty && self != .deleted }
}

/// The storage of an index's slots.
public protocol HashSlots: RandomAccessCollection, MutableCollection, Sendable
where Element == HashSlot, Index == Int {
  init()
  init(repeating slot: HashSlot, count: Int)
}

extension ContiguousArray: HashSlots where Element == HashSlot {}
extension PagedArray: HashSlots where Element == HashSlot {}

/// The index of a partition's users, used by every login check.
public typealias NameIndex = HashIndex<ContiguousArray<HashSlot>>
/// An index of the directory, whose older versions stay alive while somebody reads them.
typealias SharedIndex = HashIndex<PagedArray<HashSlot>>

extension NameIndex {
  /// Where the search for a hash begins: an address to prefetch, not to read. Nothing keeps the memory alive, so that a
  /// prefetch needs no reference counting.
  @inline(__always)
  func start(of hash: UInt32) -> UnsafeRawPointer? {
    guard !slots.isEmpty else { return nil }
    return slots.withUnsafeBufferPointer { UnsafeRawPointer($0.baseAddress! + (Int(hash) & ($0.count - 1))) }
  }
}
