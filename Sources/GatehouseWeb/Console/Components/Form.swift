/// A form. Those that change something (`post`) carry the token of the session and a key with which they are carried
/// out once, however often they are sent.
struct Form: Sendable {
  enum Method: String, Sendable {
    case get, post
  }

  /// How the fields stand: below each other, in two columns where there is room, or in a row such as filters.
  enum Layout: String, Sendable {
    case stack, grid, row
  }

  struct OtherSubmit: Sendable {
    let text: String
    let action: Address

    init(_ text: String, _ action: Address) {
      self.text = text
      self.action = action
    }
  }

  var action: Address
  var method = Method.post
  var layout = Layout.stack
  /// Needed where there are several forms on a page, or a table's checkboxes belong to it.
  var id: String?
  var fields: [Field] = []
  var hidden: [(name: String, value: String)] = []
  var submit = "Save"
  var isDangerous = false
  /// Whether it sends a file, or what a file had.
  var isUpload = false
  /// A second button, which sends the same somewhere else.
  var otherSubmit: OtherSubmit?
  /// Where to go instead.
  var cancel: Address?
  var cancelText = "Cancel"
  /// What is wrong with the form as a whole.
  var error: String?
  /// More fields, under headings.
  var groups: [(heading: String, fields: [Field])] = []
  /// Fields that few need, folded away unless one of them has a value.
  var more: [Field] = []

  init(
    _ action: Address, _ method: Method = .post, layout: Layout = .stack, id: String? = nil, fields: [Field] = [],
    hidden: [(name: String, value: String)] = [], submit: String = "Save", isDangerous: Bool = false,
    cancel: Address? = nil, cancelText: String = "Cancel", error: String? = nil, otherSubmit: OtherSubmit? = nil
  ) {
    self.action = action
    self.method = method
    self.layout = layout
    self.id = id
    self.fields = fields
    self.hidden = hidden
    self.submit = submit
    self.isDangerous = isDangerous
    self.cancel = cancel
    self.cancelText = cancelText
    self.error = error
    self.otherSubmit = otherSubmit
  }

  var block: Block {
    // A form that is sent by GET takes its query from the fields alone.
    let hidden = method == .get ? hidden + action.query.map { ($0.name, $0.value) } : hidden
    // The parts of the page have ids of their own, such as `main`.
    let prefix = (id ?? "field") + "-"
    return Block(
      "form",
      [
        "action": action.text, "method": method.rawValue, "layout": layout.rawValue, "formId": id,
        "fields": fields.map { $0.values(prefix: prefix) },
        "hidden": hidden.map { field -> Values in ["name": field.name, "value": field.value] },
        "isPost": method == .post, "idem": FormToken.random(), "submit": submit, "isDangerous": isDangerous,
        "isUpload": isUpload,
        "otherSubmit": otherSubmit.map {
          Values(dictionaryLiteral: ("otherText", $0.text), ("otherAction", $0.action.text))
        },
        "cancel": cancel?.text, "cancelText": cancelText, "formError": error,
        "fieldsets": groups.map { group -> Values in
          ["legend": group.heading, "fields": group.fields.map { $0.values(prefix: prefix) }]
        },
        "more": more.isEmpty
          ? nil
          : Values(
            dictionaryLiteral: ("summary", "More"), ("isOpen", more.contains { $0.isFilled }),
            ("fields", more.map { $0.values(prefix: prefix) })),
      ])
  }
}
