/// What a user may do in one product (T3, T7) and the licence held for it (P9).
public struct ProductAccess: Sendable, Equatable, BitwiseCopyable {
  public var product: ProductID
  /// Whether the user may enter. Disabled access is kept, so that enabling it again restores the rest.
  public var isEnabled: Bool
  public var isAdministrator: Bool
  /// The number of the licence type in the product's list of pools, from 1; 0 is none.
  public var licence: UInt8

  public init(product: ProductID, isEnabled: Bool, isAdministrator: Bool = false, licence: UInt8 = 0) {
    self.product = product
    self.isEnabled = isEnabled
    self.isAdministrator = isAdministrator
    self.licence = licence
  }

  /// Whether it makes an administrator of the product: whoever may not enter it does not administer it either.
  public var administers: Bool { isEnabled && isAdministrator }

  /// One word: product, licence, flags. Never 0, for the product is not.
  public var packed: UInt64 {
    UInt64(product) << 16 | UInt64(licence) << 8 | (isEnabled ? 1 : 0) | (isAdministrator ? 2 : 0)
  }

  public init(packed: UInt64) {
    product = ProductID(truncatingIfNeeded: packed >> 16)
    licence = UInt8(truncatingIfNeeded: packed >> 8)
    isEnabled = packed & 1 != 0
    isAdministrator = packed & 2 != 0
  }

  /// The same in half a word, where the product's number is small enough: what a user's row has room for.
  var compact: UInt32? { UInt32(exactly: packed) }

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
