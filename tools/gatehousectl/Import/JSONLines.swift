import Foundation
import GatehouseCore

/// Reads JSON lines: an object on each line.
struct JSONLines {
  private let source: () throws(TableError) -> [UInt8]
  private var piece: [UInt8] = []
  private var position = 0
  private(set) var line = 0
  private let decoder = JSONDecoder()

  init(source: @escaping () throws(TableError) -> [UInt8]) { self.source = source }

  /// The values of the next line that is not blank, by name; nil at the end of the file.
  mutating func next() throws -> Result<[String: JSONCell], RowFault>? {
    while let text = try nextLine() {
      line += 1
      if text.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0d }) { continue }
      do {
        let values = try decoder.decode([String: JSONCell].self, from: Data(text))
        guard Self.names(in: text) == values.count else {
          return .failure(RowFault(column: nil, reason: "a name is given twice"))
        }
        return .success(values)
      } catch JSONCell.Fault.nested(let name) {
        return .failure(
          RowFault(column: name, reason: "the value must be a text, a number, true, false, null or a list of texts"))
      } catch {
        return .failure(RowFault(column: nil, reason: "the line is not a JSON object"))
      }
    }
    return nil
  }

  /// How many names an object has, which the decoder has found to be one: the colons outside of texts. Nested objects are
  /// refused before.
  private static func names(in object: [UInt8]) -> Int {
    var (count, isText, isEscaped) = (0, false, false)
    for byte in object {
      if isEscaped {
        isEscaped = false
      } else if isText {
        isEscaped = byte == UInt8(ascii: "\\")
        if byte == UInt8(ascii: "\"") { isText = false }
      } else if byte == UInt8(ascii: "\"") {
        isText = true
      } else if byte == UInt8(ascii: ":") {
        count += 1
      }
    }
    return count
  }

  private mutating func nextLine() throws(TableError) -> [UInt8]? {
    var text: [UInt8] = []
    while true {
      if position == piece.count {
        piece = try source()
        position = 0
        if piece.isEmpty { return text.isEmpty ? nil : text }
      }
      let end = piece[position...].firstIndex(of: 0x0a)
      text += piece[position..<(end ?? piece.count)]
      position = end.map { $0 + 1 } ?? piece.count
      guard text.count <= CSVReader.standardLimit else { throw .rowTooLong(line: line + 1, isQuoted: false) }
      if end != nil { return text }
    }
  }
}

/// A value of a JSON object, as the text that a cell would have.
enum JSONCell: Decodable {
  case text(String)
  case none

  enum Fault: Error {
    /// The name of the value that is an object, or a list of something else than texts.
    case nested(String?)
  }

  init(from decoder: any Decoder) throws {
    let name = decoder.codingPath.last?.stringValue
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .none
    } else if let text = try? container.decode(String.self) {
      self = .text(text)
    } else if let flag = try? container.decode(Bool.self) {
      self = .text(flag ? "1" : "0")
    } else if let number = try? container.decode(Int64.self) {
      self = .text(String(number))
    } else if let words = try? container.decode([String].self) {
      self = .text(words.joined(separator: ";"))
    } else {
      throw Fault.nested(name)
    }
  }
}
