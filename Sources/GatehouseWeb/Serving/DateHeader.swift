import GatehouseServer
import Glibc
import Synchronization

/// The text of the `Date` header (RFC 9110, 5.6.7), made anew only once a second.
final class DateHeader: Sendable {
  private let door: CommandDoor
  private let last = Mutex<(second: Int, text: String)>((0, text(of: 0)))

  init(_ door: CommandDoor) { self.door = door }

  /// That of now.
  var text: String {
    let second = Int(door.now / 1000)
    return last.withLock { last in
      if last.second != second { last = (second, Self.text(of: second)) }
      return last.text
    }
  }

  private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

  /// - Parameter second: since 1970.
  static func text(of second: Int) -> String {
    var (second, parts) = (time_t(second), tm())
    gmtime_r(&second, &parts)
    func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(days[Int(parts.tm_wday)]), \(two(parts.tm_mday)) \(months[Int(parts.tm_mon)]) \(1900 + parts.tm_year) "
      + "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)) GMT"
  }
}
