import GatehouseCore

/// Points in time as SCIM writes them (RFC 7643, section 2.3.5; XML Schema, 3.2.7).
enum SCIMTime {
  static func text(_ time: Milliseconds) -> String { TimeText.text(of: time) }

  /// nil if the text is no point in time. Without a zone it is in UTC; what lies before 1970 is before everything.
  static func time(_ text: String) -> Milliseconds? {
    guard text.utf8.count >= 19, let year = Int(text.prefix(4)), text.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
    let clock = text.dropFirst(19)
    let hasZone = clock.contains { $0 == "Z" || $0 == "z" || $0 == "+" || $0 == "-" }
    let whole = hasZone ? text : text + "Z"
    if let time = TimeText.time(whole) { return time }
    return year < 1970 && TimeText.time("1972" + whole.dropFirst(4)) != nil ? -1 : nil
  }
}
