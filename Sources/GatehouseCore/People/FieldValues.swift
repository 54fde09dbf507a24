/// The values that fields of contacts and users accept. They are stored in one normal form, so that they can be
/// compared.
extension Turn {
  /// The value of a contact's field in its stored form; empty clears the field. A date may still be a point in time
  /// here; `day(_:in:)` turns it into a day once the person's zone is known.
  public func value(_ text: String, of field: ContactField) throws(Halt) -> String {
    guard text.utf8.count <= Limits.fieldBytes else {
      throw .refused(.syntax("\(field.name) is longer than \(Limits.fieldBytes) bytes; shorten it", of: field.name))
    }
    if text.isEmpty { return text }
    try Self.requireVisible(text, field.name)
    switch field {
    case .email:
      guard EntityNames.isEmail(text) else {
        throw .refused(.syntax("email is not an e-mail address, such as ana@acme.test", of: field.name))
      }
    case .timezone:
      return try directory.zones.zone(named: text, for: field.name).name
    case .hired, .released:
      guard TimeText.dayNumber(text) != nil || TimeText.timeOfDay(text) != nil else {
        throw .refused(.syntax("\(field.name) is not a day, such as 2026-03-01", of: field.name))
      }
    case .language:
      guard let language = Language.named(text) else {
        throw .refused(.syntax("language is not a language tag, such as en or pt-br", of: field.name))
      }
      return language
    case .first, .middle, .last, .department, .schedule, .leave, .phone: break
    }
    return text
  }

  /// The day that a text stands for: the day itself, or the day of a point in time in a zone. Only days are stored, so
  /// that a record means the same whatever zones its reader knows.
  public static func day(_ text: String, in zone: Zone) -> String {
    guard TimeText.dayNumber(text) == nil, let time = TimeText.time(text) else { return text }
    // There is no day before 1970, but 1970 begins while it is still 1969 in the west.
    return TimeText.text(ofDay: max(0, zone.rules.day(at: time)))
  }

  /// The zone of dates given for a person: the zone with this name, else the workspace's. The name may be empty.
  public func zone(named name: String, elseOf workspace: Workspace) -> Zone {
    read(directory.lsn)
    return directory.zones.zone(name) ?? directory.zones.zone(workspace.policies.timezone) ?? .utc
  }

  /// What a word for yes or no says; nil for any other.
  public static func flag(_ text: String) -> Bool? {
    switch text.folded {
    case "1", "on", "yes", "true": true
    case "0", "off", "no", "false": false
    default: nil
    }
  }

  /// The value of a user's field in its stored form; empty clears the field.
  public static func value(_ text: String, of field: UserField) throws(Halt) -> String {
    if field.flag != nil {
      guard let flag = text.isEmpty ? false : flag(text) else {
        throw .refused(.syntax("\(field.name) must be 1 or 0", of: field.name))
      }
      return flag ? "1" : "0"
    }
    guard text.utf8.count <= Limits.fieldBytes else {
      throw .refused(.syntax("\(field.name) is longer than \(Limits.fieldBytes) bytes; shorten it", of: field.name))
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

  /// A value without visible characters looks empty, so it is refused.
  private static func requireVisible(_ text: String, _ name: String) throws(Halt) {
    if EntityNames.isBlank(text) {
      throw .refused(.syntax("\(name) has no visible character; an empty text clears it", of: name))
    }
  }

  /// The release date must not be before the hire date; both in stored form.
  public static func checkEmployment(hired: String, released: String) throws(Halt) {
    if !hired.isEmpty, !released.isEmpty, released < hired {
      throw .refused(.syntax("released \(released) is before hired \(hired)", of: ContactField.released.name))
    }
  }
}

extension ZoneTable {
  /// The zone that a caller named; refused if there is none.
  func zone(named name: String, for field: String) throws(Halt) -> Zone {
    guard let zone = zone(name) else {
      throw .refused(
        .syntax(
          "\(field) '\(name)' is not a time zone of the IANA database; give a name such as Europe/Prague", of: field))
    }
    return zone
  }
}
