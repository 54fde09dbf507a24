/// A button: a link to a page, or a form that does something at once. Offer it only where the command would be allowed:
/// ask with `Visit.verdict`.
struct Button: Sendable {
  enum Kind: String, Sendable {
    case primary, plain, danger
  }

  let values: Values
  /// Whether it only tells the rule that refuses.
  var isRefused: Bool { values.isSet("refused") }

  /// Goes to a page.
  ///
  /// - Parameter label: what it is called where its text alone does not say what it is about.
  static func link(_ text: String, _ address: Address, _ kind: Kind = .plain, label: String? = nil) -> Button {
    Button(values: [
      "text": text, "kind": kind.rawValue, "label": label, "link": address.text, "post": nil, "refused": nil,
    ])
  }

  /// Sends a form without fields; `hidden` goes along.
  static func post(
    _ text: String, _ address: Address, _ hidden: [(name: String, value: String)] = [], _ kind: Kind = .plain,
    label: String? = nil
  ) -> Button {
    let fields = hidden.map { field -> Values in ["name": field.name, "value": field.value] }
    return Button(values: [
      "text": text, "kind": kind.rawValue, "label": label, "link": nil, "refused": nil,
      "post": Values(
        dictionaryLiteral: ("action", address.text), ("hidden", fields),
        // A form that is sent again keeps its key.
        ("ownKey", hidden.contains { $0.name == "idem" } ? nil : FormToken.random())),
    ])
  }

  /// A rule refuses what the button would do. It is shown with the rule, because it is the rule that surprises.
  static func refused(_ text: String, _ why: String) -> Button {
    Button(values: ["text": text, "kind": Kind.plain.rawValue, "link": nil, "post": nil, "refused": why])
  }

  /// The button that the server's verdict allows: as it is, with the refusal, or not at all.
  static func asked(_ verdict: Verdict, _ button: Button, _ text: String) -> Button? {
    switch verdict {
    case .allowed: button
    case .refused(let failure): .refused(text, failure.detail)
    case .forbidden: nil
    }
  }
}
