/// What a user may do in one product (T3, T7) and the licence held for it (P9).
public struct ProductAccess: Sendable, Equatable, BitwiseCopyable {
  public var product: ProductID
  /// Whether access is enabled. Disabled access is kept, so that enabling it again restores the rest.
  public var isEnabled: Bool
  public var isAdministrator: Bool
  /// The number of the licence type in the product's list of pools, from 1; 0 is none.
  public var licence: UInt8
  /// B7: from when and until when access is open, if it is enabled. An access that ended by itself is disabled and
  /// keeps its limits, to show when; one that somebody disabled has none.
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

  /// Whether it is open at a given time.
  @inline(__always)
  public func isOpen(at now: Milliseconds) -> Bool { isEnabled && limits.contains(now) }

  /// Whether it ended by itself and was not enabled again.
  public var hasEnded: Bool { !isEnabled && limits.until != nil }

  /// Whether it makes the user an administrator of the product; that requires enabled access.
  public var administers: Bool { isEnabled && isAdministrator }

  /// One word: product, licence, and flags, two of which say which limits follow. Never 0, because the product is not.
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

  /// Half a word, if the product's number is small enough and there are no limits: what fits in a user's row.
  var compact: UInt32? { limits.isNone ? UInt32(exactly: packed) : nil }

  init(compact: UInt32) { self.init(packed: UInt64(compact)) }

  /// A user's accesses after one of them has changed; nil stands for no access.
  public static func list(
    _ accesses: [ProductAccess], with new: ProductAccess?, insteadOf old: ProductAccess?
  ) -> [ProductAccess] {
    var list = accesses
    if let product = (new ?? old)?.product, let index = list.firstIndex(where: { $0.product == product }) {
      if let new { list[index] = new } else { list.remove(at: index) }
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
