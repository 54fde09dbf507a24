/// Access to a product, packed in one number; 0 for none.
enum AccessForm: FieldForm {
  static func write(_ value: ProductAccess?, to writer: inout ByteWriter) { writer.access(value) }
  static func read(from reader: inout ByteReader) throws(CodingError) -> ProductAccess? { try reader.access() }

  /// The product, and which parts of the access changed.
  static func shown(
    _ name: String, old: ProductAccess??, new: ProductAccess??, in directory: Directory?
  ) -> [ChangeText.Field] {
    let (old, new) = (old ?? nil, new ?? nil)
    guard let product = (new ?? old)?.product else { return [] }
    func compare(_ name: String, _ text: (ProductAccess) -> String) -> [ChangeText.Field] {
      let (before, after) = (old.map(text), new.map(text))
      return before == after ? [] : [ChangeText.Field(name: name, old: before, new: after)]
    }
    return ProductForm.shown("product", old: nil, new: product, in: directory)
      + compare("access") { $0.isEnabled ? "enabled" : "disabled" }
      + compare("permission") { $0.isAdministrator ? "administrator" : "regular" }
      + compare("licence") { licence(of: $0, in: directory) }
      + LimitsForm.shown("", old: old?.limits, new: new?.limits, in: directory)
  }

  private static func licence(of access: ProductAccess, in directory: Directory?) -> String {
    if access.licence == 0 { return "" }
    return directory?.product(access.product)?.licenceName(access.licence) ?? "\(access.licence)"
  }

  static func addKeys(of value: ProductAccess?, to keys: inout [UInt64]) {
    if let value { ProductForm.addKeys(of: value.product, to: &keys) }
  }
}
