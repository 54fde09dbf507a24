/// The values that fields of contacts and users take. What is stored is in one form, so that it compares.
extension Turn {
  /// The value of a contact's field as it is stored; empty clears the field. A day may still be a moment, of which
  /// `day(_:in:)` makes one when the person's zone is known.
  public func value(_ text: String, of field: ContactField) throws(Halt) -> String {
    guard text.utf8.count <= Limits.fieldBytes else {
      throw .refused(.syntax("\(field.name) is longer than \(Limits.fieldBytes) bytes; shorten it"))
    }
    if text.isEmpty { return text }
    try Self.requireVisible(text, field.name)
    switch field {
    case .email:
      guard EntityNames.isEmail(text) else {
        throw .refused(.syntax("email is not an e-mail address, such as ana@acme.test"))
      }
    case .timezone:
      return try directory.zones.zone(named: text, for: field.name).name
    case .hired, .released:
      guard TimeText.dayNumber(text) != nil || TimeText.time(text) != nil else {
        throw .refused(.syntax("\(field.name) is not a day, such as 2026-03-01"))
      }
    case .first, .middle, .last, .department, .schedule, .leave, .phone: break
    }
    return text
  }

  /// The day that a text stands for: a day itself, or a moment, of which the day in a zone counts. What is stored is
  /// always a day, so that a record means the same whatever zones the reader knows.
  public static func day(_ text: String, in zone: Zone) -> String {
    guard TimeText.dayNumber(text) == nil, let time = TimeText.time(text) else { return text }
    // There is no day before 1970, and the first moment of that year is one of 1969 in the west.
    return TimeText.text(ofDay: max(0, zone.rules.day(at: time)))
  }

  /// The zone in which dates are meant that somebody gives of a person whose zone has this name, which may be empty.
  public func zone(named name: String, elseOf workspace: Workspace) -> Zone {
    read(directory.lsn)
    return directory.zones.zone(name) ?? directory.zones.zone(workspace.policies.timezone) ?? .utc
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

extension ZoneTable {
  /// The zone of a name that somebody gives, or a refusal.
  func zone(named name: String, for field: String) throws(Halt) -> Zone {
    guard let zone = zone(name) else {
      throw .refused(
        .syntax("\(field) '\(name)' is not a time zone of the IANA database; give a name such as Europe/Prague"))
    }
    return zone
  }
}
