/// People's values of their workspaces' fields. They are stored in the contact's details, so that they outlive the
/// login, and cost nothing if there are none.
extension People {
  struct CustomValue {
    let field: FieldID
    let text: String
  }

  func customValues(of contact: Int) -> [CustomValue] {
    let hasNone = contacts.withDetails(of: contact) { Details.field(ContactTag.custom, in: $0) == nil }
    if hasNone { return [] }
    let values = try? contacts.details(of: contact).decode(ContactTag.custom) { (reader) throws(CodingError) in
      try reader.list { (reader) throws(CodingError) in
        CustomValue(field: try reader.number(), text: try reader.text())
      }
    }
    return values ?? []
  }

  /// The value of one field; empty if there is none.
  func custom(_ field: FieldID, of contact: Int) -> String {
    customValues(of: contact).first { $0.field == field }?.text ?? ""
  }

  mutating func setCustom(_ field: FieldID, of contact: Int, _ text: String) {
    var values = customValues(of: contact).filter { $0.field != field }
    if !text.isEmpty { values.append(CustomValue(field: field, text: text)) }
    values.sort { $0.field < $1.field }
    var details = contacts.details(of: contact)
    if values.isEmpty {
      details.set(ContactTag.custom, UnsafeRawBufferPointer(start: nil, count: 0))
    } else {
      details.encode(ContactTag.custom) { writer in
        writer.list(values) { writer, value in
          writer.varint(value.field)
          writer.text(value.text)
        }
      }
    }
    contacts.setDetails(of: contact, details.bytes)
  }
}
