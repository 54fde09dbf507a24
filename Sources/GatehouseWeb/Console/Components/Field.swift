/// A field of a form, with its label, hint and error.
struct Field: Sendable {
  enum Kind: Sendable {
    case text
    case password
    case email
    case search
    case number
    case day
    /// A moment as `Moment.field` writes it.
    case moment
    case longText
    /// A file to send; its form `isUpload`.
    case file
    case checkbox(isOn: Bool)
    case choice([Option])
  }

  struct Option: Sendable {
    var value: String
    var text: String

    init(_ value: String, _ text: String? = nil) {
      self.value = value
      self.text = text ?? value
    }
  }

  var name: String
  var label: String
  var kind = Kind.text
  var value = ""
  var hint: String?
  var error: String?
  var isRequired = false
  /// What a browser may fill in (`username`, `new-password`).
  var autocomplete = "off"

  init(
    _ name: String, _ label: String, _ kind: Kind = .text, value: String = "", hint: String? = nil,
    error: String? = nil, required isRequired: Bool = false, autocomplete: String = "off"
  ) {
    self.name = name
    self.label = label
    self.kind = kind
    self.value = value
    self.hint = hint
    self.error = error
    self.isRequired = isRequired
    self.autocomplete = autocomplete
  }

  /// A password to be chosen, with what makes a good one.
  static func newPassword(_ name: String, _ label: String) -> Field {
    Field(
      name, label, .password,
      hint: "Long and hard to guess, such as some words that do not belong together; not one that many people use.",
      required: true, autocomplete: "new-password")
  }

  /// Whether it has a value that is not the usual one.
  var isFilled: Bool {
    switch kind {
    case .checkbox(let isOn): isOn
    case .choice(let options): value != options.first?.value
    default: !value.isEmpty
    }
  }

  /// Several checkboxes of one name differ in their values.
  private var isCheckboxOfSeveral: Bool { if case .checkbox = kind { !value.isEmpty } else { false } }

  /// - Parameter prefix: sets fields of several forms on a page apart.
  func values(prefix: String) -> Values {
    var values: Values = [
      "name": name, "field": prefix + name + (isCheckboxOfSeveral ? "-" + value : ""), "label": label, "value": value,
      "hint": hint, "error": error,
      "isRequired": isRequired, "autocomplete": autocomplete, "described": hint != nil || error != nil,
      "isFocused": nil, "inputType": nil, "isMoment": nil, "isLong": nil, "checkbox": nil, "options": nil,
    ]
    switch kind {
    case .text: values["inputType"] = "text"
    case .password: values["inputType"] = "password"
    case .email: values["inputType"] = "email"
    case .search: values["inputType"] = "search"
    case .number: values["inputType"] = "number"
    case .day: values["inputType"] = "date"
    case .moment:
      values["inputType"] = "datetime-local"
      values["isMoment"] = true
    case .longText: values["isLong"] = true
    case .file: values["inputType"] = "file"
    case .checkbox(let isOn):
      values["checkbox"] = Values(dictionaryLiteral: ("isOn", isOn), ("ticked", value.isEmpty ? "1" : value))
    case .choice(let options):
      values["options"] = Values(
        dictionaryLiteral: (
          "choices",
          options.map { option -> Values in
            ["choice": option.value, "choiceText": option.text, "isChosen": option.value == value]
          }
        ))
    }
    return values
  }
}
