/// The key of a second factor as an app takes it: a picture to scan, and the text for who cannot.
struct EnrolmentKey {
  private let address: String

  /// - Parameter address: `otpauth://totp/…`
  init(_ address: String) { self.address = address }

  var blocks: [Block] {
    [
      .text(
        .text("Scan this with your authenticator app, or type the key into it. Then enter the code that it shows.")),
      QRCode(address).map { Block("qr", ["path": $0.path, "size": String($0.size), "label": "The key \(grouped)"]) },
      .code("Key", grouped), .code("Address for apps that take one", address),
    ].compactMap { $0 }
  }

  /// The `secret` of the address, in groups of four as people type it.
  private var grouped: String {
    guard let start = address.firstRange(of: "secret=")?.upperBound else { return address }
    let secret = address[start...].head(before: "&")
    var grouped = ""
    for (index, letter) in secret.enumerated() {
      if index > 0, index.isMultiple(of: 4) { grouped += " " }
      grouped.append(letter)
    }
    return grouped
  }
}
