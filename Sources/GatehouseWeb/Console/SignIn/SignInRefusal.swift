import GatehouseWire

/// Why a login was refused, for who wanted to sign in. Wrong names and wrong passwords look alike; what else refuses is told
/// only to who knows the password.
enum SignInRefusal {
  /// - Parameter reply: of `LOGIN.PASSWORD` or `LOGIN.TOTP`.
  static func cells(_ reply: RESPValue, _ product: String) -> [Cell] {
    switch reply["reason"]?.string {
    case "credentials": return [.text("The name or the password is wrong.")]
    case "wait": return [.text("There were too many wrong passwords. " + waiting(reply))]
    case "challenge": return [.text("The sign-in took too long. Begin again.")]
    case let reason?: return [.text("The password is right, but ")] + cells(reason: reason, product)
    case nil: return [.text("The server gave no answer that is understood.")]
    }
  }

  /// - Parameter reason: of `LOGIN.CHECK`.
  static func cells(reason: String, _ product: String) -> [Cell] {
    switch reason {
    case "unknown-product", "product-disabled", "no-licence":
      [
        .text("you have no access to "), .strong(product),
        .text(". Ask an administrator for it, who gives it on your page in the console."),
      ]
    default:
      [
        .text("the login is refused: "), .code(reason),
        .text(". Ask an administrator, whose console says what mends it."),
      ]
    }
  }

  static func waiting(_ reply: RESPValue) -> String {
    "Try again in \(max(1, ((reply["retry-after"]?.integer ?? 1000) + 999) / 1000)) s."
  }
}
