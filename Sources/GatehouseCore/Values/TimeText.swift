/// The text of times and durations. The core does not use Foundation; dates of the proleptic Gregorian calendar in UTC
/// take only a few lines of arithmetic.
public enum TimeText {
  public static let day: Milliseconds = 86_400_000

  /// A point in time: unix milliseconds, or RFC 3339 (`2026-03-01T09:30:00Z`, `…+01:00`, fractions of a second).
  ///
  /// A day without its hyphens (`20260301`) is not one: as milliseconds it would be of 1970.
  public static func time(_ text: String) -> Milliseconds? {
    if let number = Int64(text) {
      return (0...Limits.latestTime).contains(number) && !isDayWithoutHyphens(number) ? number : nil
    }
    return rfc3339(Array(text.utf8))
  }

  /// A point in time that stands for its day. A number of the first day of 1970 is not one: it is a year, or a slip.
  public static func timeOfDay(_ text: String) -> Milliseconds? {
    if let number = Int64(text), number < day { return nil }
    return time(text)
  }

  private static func isDayWithoutHyphens(_ number: Int64) -> Bool {
    let (year, month, day) = (Int(number / 10_000), Int(number / 100 % 100), Int(number % 100))
    return (1900..<2200).contains(year) && (1...12).contains(month) && (1...daysIn(month, of: year)).contains(day)
  }

  /// A duration: milliseconds, or a number with `ms`, `s`, `m`, `h` or `d`.
  public static func duration(_ text: String) -> Milliseconds? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard !digits.isEmpty, let number = Int64(digits) else { return nil }
    let unit: Int64
    switch text.dropFirst(digits.count) {
    case "", "ms": unit = 1
    case "s": unit = 1000
    case "m": unit = 60_000
    case "h": unit = 3_600_000
    case "d": unit = day
    default: return nil
    }
    let (result, overflow) = number.multipliedReportingOverflow(by: unit)
    return overflow || result > Limits.latestTime ? nil : result
  }

  /// A calendar day such as `2026-03-01`, in days since 1970-01-01, or before. A point in time is not accepted, because its
  /// day depends on the zone.
  public static func dayNumber(_ text: String) -> Int32? {
    let bytes = Array(text.utf8)
    return bytes.count == 10 ? date(bytes[...]).map { Int32($0) } : nil
  }

  /// `2026-03-01` for a number of days since 1970-01-01.
  public static func text(ofDay number: Int32) -> String { text(ofDay: Int(number)) }

  private static func text(ofDay number: Int) -> String {
    let (year, month, day) = civil(number)
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
  }

  /// `2026-03-01T09:30:00.000Z`; works for every time, also before 1970 and after 9999.
  public static func text(of time: Milliseconds) -> String {
    let (days, rest) = time.dividedDown(by: day)
    let clock = "\(padded(rest / 3_600_000, 2)):\(padded(rest / 60_000 % 60, 2)):\(padded(rest / 1000 % 60, 2))"
    return "\(text(ofDay: days))T\(clock).\(padded(rest % 1000, 3))Z"
  }

  private static func padded(_ value: Int, _ width: Int) -> String {
    let digits = String(value.magnitude)
    return (value < 0 ? "-" : "") + String(repeating: "0", count: max(0, width - digits.count)) + digits
  }

  private static func number(_ bytes: ArraySlice<UInt8>) -> Int? {
    var value = 0
    for byte in bytes {
      guard byte >= 0x30, byte <= 0x39 else { return nil }
      value = value * 10 + Int(byte - 0x30)
    }
    return bytes.isEmpty ? nil : value
  }

  /// The day number of `YYYY-MM-DD`.
  private static func date(_ bytes: ArraySlice<UInt8>) -> Int? {
    let start = bytes.startIndex
    guard bytes.count == 10, bytes[start + 4] == 0x2d, bytes[start + 7] == 0x2d,
      let year = number(bytes[start..<start + 4]), let month = number(bytes[start + 5..<start + 7]),
      let day = number(bytes[start + 8..<start + 10]),
      year >= 1, (1...12).contains(month), day >= 1, day <= daysIn(month, of: year)
    else { return nil }
    return days(year, month, day)
  }

  private static func rfc3339(_ bytes: [UInt8]) -> Milliseconds? {
    guard bytes.count >= 20, let days = date(bytes[0..<10]),
      bytes[10] == 0x54 || bytes[10] == 0x74 || bytes[10] == 0x20, bytes[13] == 0x3a, bytes[16] == 0x3a,
      let hour = number(bytes[11..<13]), let minute = number(bytes[14..<16]), let second = number(bytes[17..<19]),
      hour < 24, minute < 60, second < 60
    else { return nil }
    var index = 19
    var milliseconds = 0
    if bytes[index] == 0x2e {
      let fraction = bytes[(index + 1)...].prefix { $0 >= 0x30 && $0 <= 0x39 }
      guard !fraction.isEmpty, fraction.count <= 9 else { return nil }
      let digits = Array((fraction + [0x30, 0x30]).prefix(3))
      milliseconds = number(digits[...]) ?? 0
      index = fraction.endIndex
    }
    guard index < bytes.count, let offset = zone(bytes[index...]) else { return nil }
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset * 60
    let result = Int64(seconds) * 1000 + Int64(milliseconds)
    return (0...Limits.latestTime).contains(result) ? result : nil
  }

  /// The offset in minutes east of UTC of `Z` or `±HH:MM`.
  private static func zone(_ bytes: ArraySlice<UInt8>) -> Int? {
    let start = bytes.startIndex
    if bytes.count == 1, bytes[start] | 0x20 == 0x7a { return 0 }
    guard bytes.count == 6, bytes[start] == 0x2b || bytes[start] == 0x2d, bytes[start + 3] == 0x3a,
      let hours = number(bytes[start + 1..<start + 3]), let minutes = number(bytes[start + 4..<start + 6]),
      hours < 24, minutes < 60
    else { return nil }
    return (hours * 60 + minutes) * (bytes[start] == 0x2b ? 1 : -1)
  }

  static func daysIn(_ month: Int, of year: Int) -> Int {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// Days since 1970-01-01 of a date. Years are counted from March, so that the leap day is the last.
  static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let y = month <= 2 ? year - 1 : year
    let era = y / 400
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  static func civil(_ number: Int) -> (year: Int, month: Int, day: Int) {
    let z = number + 719_468
    let era = (z >= 0 ? z : z - 146_096) / 146_097
    let dayOfEra = z - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let m = (5 * dayOfYear + 2) / 153
    let month = m < 10 ? m + 3 : m - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * m + 2) / 5 + 1)
  }
}

extension Milliseconds {
  /// Division rounding down, with a remainder that is never negative.
  fileprivate func dividedDown(by divisor: Milliseconds) -> (quotient: Int, rest: Int) {
    let (quotient, rest) = quotientAndRemainder(dividingBy: divisor)
    return rest < 0 ? (Int(quotient - 1), Int(rest + divisor)) : (Int(quotient), Int(rest))
  }
}
