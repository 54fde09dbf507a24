import Foundation
import GatehouseCore

/// A mail in the form of RFC 5322, as `sendmail -t` reads it: with line feeds, and only ASCII but for addresses that have
/// other characters.
struct MailMessage {
  let mail: OutgoingMail
  let sender: String?

  enum Fault: Error, CustomStringConvertible {
    case address

    var description: String { "the address cannot stand in a header" }
  }

  /// - Parameter now: unix milliseconds.
  func text(at now: UInt64) throws -> String {
    guard let recipient = Self.address(mail.recipient) else { throw Fault.address }
    var lines: [String] = []
    if let sender { lines.append("From: \(sender)") }
    lines += [
      "To: \(recipient)",
      "Subject: \(Self.header(mail.subject))",
      "Date: \(Self.date(now))",
      // The same for each attempt, so that the recipient's side can tell a mail that comes twice.
      "Message-ID: <gatehouse.\(mail.id).\(mail.created)@\(domain)>",
      "Auto-Submitted: auto-generated",
      "MIME-Version: 1.0",
      "Content-Type: text/plain; charset=utf-8",
      "Content-Language: \(mail.language)",
      "Content-Transfer-Encoding: quoted-printable",
      "",
    ]
    return lines.joined(separator: "\n") + "\n" + Self.quotedPrintable(mail.text)
  }

  private var domain: String {
    let address =
      (sender ?? mail.recipient).utf8.split(separator: UInt8(ascii: "@")).last
      .map { String(Substring($0)) } ?? "localhost"
    let isPlain = address.utf8.allSatisfy { Self.isLetterOrDigit($0) || $0 == 0x2d || $0 == 0x2e }
    return isPlain ? address : "localhost"
  }

  // MARK: Addresses

  /// An address as it stands in a header, where a comma, say, would begin another; nil if it cannot stand there.
  static func address(_ text: String) -> String? {
    // By bytes, as mail programs read it: a mark with an accent behind it is another character, and yet the mark.
    let parts = text.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty,
      !text.unicodeScalars.contains(where: { $0.value < 0x21 || $0.value == 0x7f || ShownText.isUnprintable($0) }),
      parts[1].allSatisfy({ isLetterOrDigit($0) || $0 == 0x2d || $0 == 0x2e || $0 >= 0x80 }),
      parts[1].first != 0x2d
    else { return nil }
    let isAtom = parts[0].allSatisfy { isLetterOrDigit($0) || $0 >= 0x80 || atomBytes.contains($0) }
    let hasPlainDots = !parts[0].split(separator: 0x2e, omittingEmptySubsequences: false).contains(where: \.isEmpty)
    if isAtom, hasPlainDots { return "<\(text)>" }
    let quoted = parts[0].flatMap { $0 == 0x22 || $0 == 0x5c ? [0x5c, $0] : [$0] }
    return "<\"\(String(decoding: quoted, as: UTF8.self))\"@\(Substring(parts[1]))>"
  }

  private static let atomBytes = Set("!#$%&'*+-/=?^_`{|}~.".utf8)

  private static func isLetterOrDigit(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 }

  // MARK: Headers

  /// The value of a header: as it is if it is short and plain, else in encoded words (RFC 2047).
  static func header(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f } && !text.contains("=?")
    if isPlain, text.utf8.count <= 60 { return text }
    var words: [String] = []
    var word: [UInt8] = []
    func end() {
      if !word.isEmpty { words.append("=?utf-8?B?\(Data(word).base64EncodedString())?=") }
      word = []
    }
    for scalar in text.unicodeScalars {
      let bytes = Array(String(scalar).utf8)
      // An encoded word has at most 75 characters, and ends with a whole character.
      if word.count + bytes.count > 42 { end() }
      word += scalar.value < 0x20 || scalar.value == 0x7f ? [0x20] : bytes
    }
    end()
    return words.joined(separator: "\n ")
  }

  /// `Sat, 28 Nov 2026 18:00:00 +0000`.
  static func date(_ milliseconds: UInt64) -> String {
    let text = TimeText.text(of: Milliseconds(milliseconds))
    let fields = text.split { "-T:.Z".contains($0) }
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    let month = Int(fields[1]).map { months[$0 - 1] } ?? ""
    let day = days[Int(milliseconds / UInt64(TimeText.day) % 7)]
    return "\(day), \(fields[2]) \(month) \(fields[0]) \(fields[3]):\(fields[4]):\(fields[5]) +0000"
  }

  // MARK: Body

  /// A text in quoted-printable (RFC 2045).
  static func quotedPrintable(_ text: String) -> String {
    var output = ""
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      output += encoded(Array(line.utf8)) + "\n"
    }
    return output
  }

  private static func encoded(_ line: [UInt8]) -> String {
    var output = ""
    var column = 0
    for (index, byte) in line.enumerated() {
      let isLast = index == line.count - 1
      // Some programs change a line that begins with `From `, and take a lone dot for the end.
      let isTricky = index == 0 && (byte == UInt8(ascii: "F") || byte == UInt8(ascii: "."))
      let isBlank = byte == 0x20 || byte == 0x09
      let isPlain = byte >= 0x21 && byte < 0x7f && byte != UInt8(ascii: "=") || isBlank && !isLast
      let piece = isPlain && !isTricky ? String(UnicodeScalar(byte)) : hexadecimal(byte)
      if column + piece.utf8.count > 75 {
        output += "=\n"
        column = 0
      }
      output += piece
      column += piece.utf8.count
    }
    return output
  }

  private static func hexadecimal(_ byte: UInt8) -> String {
    let digits = Array("0123456789ABCDEF")
    return "=\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
  }
}
