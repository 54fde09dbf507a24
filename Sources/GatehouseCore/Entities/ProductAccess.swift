/// What a user may do in one product (T3, T7) and the licence held for it (P9).
package struct ProductAccess: Sendable, Equatable, BitwiseCopyable {
  package var product: ProductID
  /// Whether the user may enter. Disabled access is kept, so that enabling it again restores the rest.
  package var isEnabled: Bool
  package var isAdministrator: Bool
  /// The number of the licence type in the product's list of pools, from 1; 0 is none.
  package var licence: UInt8

  package init(product: ProductID, isEnabled: Bool, isAdministrator: Bool = false, licence: UInt8 = 0) {
    self.product = product
    self.isEnabled = isEnabled
    self.isAdministrator = isAdministrator
    self.licence = licence
  }

  /// One word: product, licence, flags. Never 0, for the product is not.
  package var packed: UInt32 {
    UInt32(product) << 16 | UInt32(licence) << 8 | (isEnabled ? 1 : 0) | (isAdministrator ? 2 : 0)
  }

  package init(packed: UInt32) {
    product = ProductID(packed >> 16)
    licence = UInt8(packed >> 8 & 0xff)
    isEnabled = packed & 1 != 0
    isAdministrator = packed & 2 != 0
  }
}
