import CQrencode

/// A QR code as the path of an SVG, with the margin of four modules that readers need.
struct QRCode {
  /// Modules to a side, with the margin.
  let size: Int
  /// One square of a unit for each dark module.
  let path: String

  private static let margin = 4

  /// - Returns: nil if the text is too long for a code.
  init?(_ text: String) {
    guard let code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M) else { return nil }
    defer { QRcode_free(code) }
    let width = Int(code.pointee.width)
    var path = ""
    for row in 0..<width {
      for column in 0..<width where code.pointee.data[row * width + column] & 1 == 1 {
        path += "M\(column + Self.margin) \(row + Self.margin)h1v1h-1z"
      }
    }
    self.path = path
    size = width + 2 * Self.margin
  }
}
