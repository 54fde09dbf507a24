import GatehouseCore
import GatehouseWire

/// One row of a file of people: the cells that are not empty.
struct PersonRow {
  /// The line of the file on which it begins.
  var line = 0
  var cells: [Cell] = []

  struct Cell {
    let source: SourceColumn
    let value: ArraySlice<UInt8>

    var text: String { String(decoding: value, as: UTF8.self) }
  }

  func cell(_ column: PersonColumn) -> Cell? { cells.first { $0.source.column == column } }

  func text(_ column: PersonColumn) -> String? { cell(column)?.text }

  var username: String { text(.username) ?? "" }
}

/// A column as a file names it.
final class SourceColumn {
  let column: PersonColumn
  /// The name in the file.
  let header: String
  /// The words that come before a value in a request, encoded.
  let option: [UInt8]
  let optionWords: Int

  init(_ column: PersonColumn, header: String) {
    self.column = column
    self.header = header
    var request = RequestBuilder()
    for word in column.option ?? [] { request.add(word) }
    option = request.words
    optionWords = request.count
  }
}

/// Why a row is refused.
struct RowFault: Error, Equatable {
  /// As the file names it, if it is one column's fault.
  var column: String?
  let reason: String
}

/// Encodes one request, word by word.
struct RequestBuilder {
  private(set) var words: [UInt8] = []
  private(set) var count = 0

  mutating func add(_ word: ArraySlice<UInt8>) {
    begin(word.count)
    words.append(contentsOf: word)
    end()
  }

  mutating func add(_ word: String) {
    var word = word
    word.withUTF8 {
      begin($0.count)
      words.append(contentsOf: $0)
    }
    end()
  }

  mutating func add(words: String...) { for word in words { add(word) } }

  /// Adds words that are encoded already.
  mutating func add(encoded: [UInt8], words count: Int) {
    words.append(contentsOf: encoded)
    self.count += count
  }

  func append(to output: inout [UInt8]) {
    Self.append(UInt8(ascii: "*"), count, to: &output)
    output.append(contentsOf: words)
  }

  private mutating func begin(_ length: Int) { Self.append(UInt8(ascii: "$"), length, to: &words) }

  private mutating func end() {
    words.append(0x0d)
    words.append(0x0a)
    count += 1
  }

  private static func append(_ sign: UInt8, _ number: Int, to output: inout [UInt8]) {
    output.append(sign)
    if number < 10 {
      output.append(UInt8(ascii: "0") + UInt8(number))
    } else if number < 100 {
      output.append(UInt8(ascii: "0") + UInt8(number / 10))
      output.append(UInt8(ascii: "0") + UInt8(number % 10))
    } else {
      output.append(contentsOf: String(number).utf8)
    }
    output.append(0x0d)
    output.append(0x0a)
  }
}
