/// What a user may do in one product (T3, T7) and the licence held for it (P9).
public struct ProductAccess: Sendable, Equatable, BitwiseCopyable {
  public var product: ProductID
  /// Whether the user may enter. Disabled access is kept, so that enabling it again restores the rest.
  public var isEnabled: Bool
  public var isAdministrator: Bool
  /// The number of the licence type in the product's list of pools, from 1; 0 is none.
  public var licence: UInt8
  /// B7: from when and until when it is open, if it is enabled. One that has ended is disabled and keeps them, to tell
  /// when; one that somebody disabled has none.
  public var limits: TimeLimits

  public init(
    product: ProductID, isEnabled: Bool, isAdministrator: Bool = false, licence: UInt8 = 0, limits: TimeLimits = .none
  ) {
    self.product = product
    self.isEnabled = isEnabled
    self.isAdministrator = isAdministrator
    self.licence = licence
    self.limits = limits
  }

  /// Whether the user may enter by it at a moment.
  @inline(__always)
  public func isOpen(at now: Milliseconds) -> Bool { isEnabled && limits.contains(now) }

  /// Whether it has ended by itself, and nobody has enabled it since.
  public var hasEnded: Bool { !isEnabled && limits.until != nil }

  /// Whether it makes an administrator of the product: whoever may not enter it does not administer it either.
  public var administers: Bool { isEnabled && isAdministrator }

  /// One word: product, licence, flags, of which two tell which limits follow. Never 0, for the product is not.
  fileprivate var packed: UInt64 {
    UInt64(product) << 16 | UInt64(licence) << 8 | (isEnabled ? 1 : 0) | (isAdministrator ? 2 : 0)
      | UInt64(limits.marks) << 2
  }

  @inline(__always)
  fileprivate init(packed: UInt64, limits: TimeLimits = .none) {
    product = ProductID(truncatingIfNeeded: packed >> 16)
    licence = UInt8(truncatingIfNeeded: packed >> 8)
    isEnabled = packed & 1 != 0
    isAdministrator = packed & 2 != 0
    self.limits = limits
  }

  /// The same in half a word, where the product's number is small enough and there are no limits: what a user's row has
  /// room for.
  var compact: UInt32? { limits.isNone ? UInt32(exactly: packed) : nil }

  init(compact: UInt32) { self.init(packed: UInt64(compact)) }

  /// A user's accesses after one of them has changed; nil stands for none.
  public static func list(
    _ accesses: [ProductAccess], with new: ProductAccess?, insteadOf old: ProductAccess?
  ) -> [ProductAccess] {
    var list = accesses
    if let product = (new ?? old)?.product, let place = list.firstIndex(where: { $0.product == product }) {
      if let new { list[place] = new } else { list.remove(at: place) }
    } else if let new {
      list.append(new)
    }
    return list
  }
}

extension ByteWriter {
  /// An access; a single 0 for none.
  mutating func access(_ access: ProductAccess?) {
    varint(access?.packed ?? 0)
    if let access { times(of: access.limits) }
  }
}

extension ByteReader {
  mutating func access() throws(CodingError) -> ProductAccess? {
    let packed = try varint()
    guard packed >> 48 == 0, packed & 0xf0 == 0 else { throw failure("access to a product that cannot be") }
    if packed == 0 { return nil }
    return ProductAccess(packed: packed, limits: try limits(marked: UInt8(packed >> 2 & 3)))
  }
}
