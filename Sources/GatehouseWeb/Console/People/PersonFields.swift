import GatehouseWire

/// The fields of a person that forms show, with their labels; those of the workspace come after them.
enum PersonFields {
  static let contact: [(name: String, label: String, kind: Field.Kind)] = [
    ("first", "First name", .text), ("middle", "Middle name", .text), ("last", "Last name", .text),
    ("email", "E-mail", .email), ("phone", "Phone", .text), ("department", "Department", .text),
    ("language", "Language", .text), ("timezone", "Time zone", .text), ("schedule", "Schedule", .text),
    ("leave", "Leave", .text), ("hired", "Hired", .day), ("released", "Released", .day),
  ]
  static let user: [(name: String, label: String, kind: Field.Kind)] = [
    ("initials", "Initials", .text), ("reference", "Reference", .text), ("division", "Division", .text),
    ("authority", "May add and remove users", .checkbox(isOn: false)),
    ("restrict-bookings", "Bookings are restricted", .checkbox(isOn: false)),
  ]

  /// A field of a form with a value.
  static func field(_ field: (name: String, label: String, kind: Field.Kind), value: String, hint: String? = nil)
    -> Field
  {
    if case .checkbox = field.kind { return Field(field.name, field.label, .checkbox(isOn: value == "1"), hint: hint) }
    return Field(field.name, field.label, field.kind, value: value, hint: hint)
  }

  /// What a form says of a field: a checkbox that is not ticked is not sent at all.
  static func value(of field: (name: String, label: String, kind: Field.Kind), in form: FormFields) -> String {
    if case .checkbox = field.kind { return form[field.name] == "1" ? "1" : "0" }
    return form[field.name]
  }

  /// The fields that a workspace has added, as fields of a form named `x:name`.
  static func custom(_ definitions: [RESPValue], values: (String) -> String) -> [Field] {
    definitions.map { definition in
      let name = definition.shown("name")
      let label = definition.flag("mandatory") ? name + " (mandatory)" : name
      let kind: Field.Kind =
        switch definition.shown("type") {
        case "number": .number
        case "day": .day
        case "flag": .choice([.init("", "–"), .init("1", "yes"), .init("0", "no")])
        case "choice":
          .choice([.init("", "–")] + (definition["choices"]?.elements ?? []).map { .init($0.shown) })
        default: .text
        }
      return Field(
        "x:" + name, label, kind, value: values(name), required: definition.flag("mandatory"))
    }
  }
}
