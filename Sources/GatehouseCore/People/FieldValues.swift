/// The values that fields of contacts and users take. What is stored is in one form, so that it compares.
extension Turn {
  /// The value of a contact's field as it is stored; empty clears the field.
  public static func value(_ text: String, of field: ContactField) throws(Halt) -> String {
    guard text.utf8.count <= Limits.fieldBytes else {
      throw .refused(.syntax("\(field.name) is longer than \(Limits.fieldBytes) bytes; shorten it"))
    }
    if text.isEmpty { return text }
    try requireVisible(text, field.name)
    switch field {
    case .email:
      guard EntityNames.isEmail(text) else {
        throw .refused(.syntax("email is not an e-mail address, such as ana@acme.test"))
      }
    case .timezone:
      let isZone = text.utf8.allSatisfy { byte in
        (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || [0x2f, 0x5f, 0x2b, 0x2d, 0x3a].contains(byte)
      }
      guard isZone, text.utf8.count <= Limits.nameBytes else {
        throw .refused(.syntax("timezone is not a time zone's name, such as Europe/Prague"))
      }
    case .hired, .released:
      guard let day = TimeText.dayNumber(text) else {
        throw .refused(.syntax("\(field.name) is not a day, such as 2026-03-01"))
      }
      return TimeText.text(ofDay: day)
    case .first, .middle, .last, .department, .schedule, .leave, .phone: break
    }
    return text
  }

  /// The value of a user's field as it is stored; empty clears the field.
  public static func value(_ text: String, of field: UserField) throws(Halt) -> String {
    if field.flag != nil {
      switch text.folded {
      case "1", "on", "yes", "true": return "1"
      case "0", "off", "no", "false", "": return "0"
      default: throw .refused(.syntax("\(field.name) must be 1 or 0"))
      }
    }
    guard text.utf8.count <= Limits.fieldBytes else {
      throw .refused(.syntax("\(field.name) is longer than \(Limits.fieldBytes) bytes; shorten it"))
    }
    if !text.isEmpty { try requireVisible(text, field.name) }
    return text
  }

  /// The name of a project; empty for none.
  public func project() throws(Halt) -> String? {
    guard let text = try option("PROJECT", limit: Limits.projectBytes) else { return nil }
    if !text.isEmpty { try Self.requireVisible(text, "PROJECT") }
    return text
  }

  /// A value of which nothing can be seen looks like none, and is none.
  private static func requireVisible(_ text: String, _ name: String) throws(Halt) {
    if EntityNames.isBlank(text) {
      throw .refused(.syntax("\(name) has nothing that can be seen; an empty text clears it"))
    }
  }

  /// The release date must not come before the hire date; both as stored.
  public static func checkEmployment(hired: String, released: String) throws(Halt) {
    if !hired.isEmpty, !released.isEmpty, released < hired {
      throw .refused(.syntax("released \(released) is before hired \(hired)"))
    }
  }
}
