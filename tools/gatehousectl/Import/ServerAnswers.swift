import Foundation
import GatehouseCore
import GatehouseWire

/// Reads what an import must know of the server's answers.

/// The server refuses what the whole import rests on.
struct ServerRefusal: Error, CustomStringConvertible {
  let text: String

  var description: String { "the server refused: \(text)" }

  /// The column of a row that a refusal is about, as the file names it.
  static func column(of refusal: String, in row: PersonRow) -> String? {
    let cells = row.cells.map { (column: $0.source.column, text: $0.text) }
    return PersonColumn.meant(by: refusal, among: cells).flatMap { row.cell($0)?.source.header }
  }
}

/// The server cannot write, or cannot answer, whatever the row.
struct ServerTrouble: Error, CustomStringConvertible {
  let text: String

  private static let codes = ["READONLY ", "LOADING ", "NOAUTH "]

  static func isMeant(by text: String) -> Bool { codes.contains { text.hasPrefix($0) } }

  var description: String { "the server answered: \(text)" }
}

/// A row whose username somebody has whom the service may see.
struct TakenName {
  let row: PersonRow
  /// `#12`.
  let user: String
  let refusal: String

  /// nil if the refusal is another than `CONFLICT username: ana belongs to user #12; choose another`.
  init?(_ row: PersonRow, refusal: String) {
    guard refusal.hasPrefix("CONFLICT username: "),
      let range = refusal.range(of: " belongs to user #", options: .backwards)
    else { return nil }
    let id = refusal[range.upperBound...].prefix { $0.isASCII && $0.isNumber }
    guard !id.isEmpty else { return nil }
    self.row = row
    user = "#\(id)"
    self.refusal = refusal
  }
}

extension ExistingUser {
  /// Why the row cannot be done.
  func fault(_ name: TakenName, isUpdate: Bool) -> RowFault {
    let differences = (fields + others.map(\.what)).joined(separator: ", ")
    if let refusal { return RowFault(column: nil, reason: isUpdate ? refusal : "\(name.refusal) (\(refusal))") }
    if isUpdate, !others.isEmpty {
      return RowFault(
        column: nil,
        reason: "\(name.user) differs in \(others.map(\.what).joined(separator: ", ")), which --update does not change;"
          + " use \(others.map(\.command).joined(separator: ", "))")
    }
    return RowFault(column: nil, reason: "\(name.refusal); it differs in \(differences)")
  }
}

/// The seats that a dry run would move.
enum SeatsMoved {
  private static let key = Array("$5\r\nseats\r\n".utf8)

  /// The array `seats`, which is the last field of the answer; nil if it is empty. The rest is not decoded.
  static func find(in reply: EncodedReply) throws(ReplyError) -> RESPValue? {
    let bytes = reply.bytes
    // Names of products and pools have no such bytes, so the last place is the key.
    var start = bytes.endIndex - key.count
    while start >= bytes.startIndex, !bytes[start..<start + key.count].elementsEqual(key) { start -= 1 }
    guard start >= bytes.startIndex else { return nil }
    let seats = try EncodedReply(bytes: bytes[(start + key.count)...]).decoded()
    return seats.elements?.isEmpty ?? true ? nil : seats
  }
}
