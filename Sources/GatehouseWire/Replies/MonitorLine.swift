public import GatehouseCore
public import NIOCore

/// The line that `MONITOR` shows for a command: `+1700000000.123456 [0 127.0.0.1:50000] "PING" "hello"`.
public enum MonitorLine {
  /// Appends the line of one command.
  /// - Parameters:
  ///   - microseconds: when it ran, since 1970.
  ///   - client: the address and port it came from.
  ///   - arguments: its arguments; secrets must have been redacted.
  public static func encode(
    microseconds: Int64, client: String, arguments: Arguments, into buffer: inout ByteBuffer
  ) {
    precondition(microseconds >= 0)
    let fraction = String(microseconds % 1_000_000)
    let zeros = String(repeating: "0", count: 6 - fraction.count)
    var line = Array("+\(microseconds / 1_000_000).\(zeros)\(fraction) [0 \(client)]".utf8)
    for index in 0..<arguments.count {
      line.append(Byte.space)
      QuotedText.append(arguments[index], to: &line)
    }
    line.append(Byte.carriageReturn)
    line.append(Byte.lineFeed)
    buffer.writeBytes(line)
  }
}
