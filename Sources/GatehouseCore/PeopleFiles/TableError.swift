/// Why a file is not a table of people. The lines are those of the file, from 1, also inside quotes.
package enum TableError: Error, Equatable, CustomStringConvertible {
  case cannotOpen(path: String, reason: String)
  case cannotRead(reason: String)
  case empty
  /// The line is the one on which the quote was opened.
  case quoteNotClosed(line: Int)
  case textAfterQuote(line: Int)
  case nul(line: Int)
  case rowTooLong(line: Int, isQuoted: Bool)
  case halfCharacter

  package var description: String {
    switch self {
    case .cannotOpen(let path, let reason): "cannot open \(path): \(reason)"
    case .cannotRead(let reason): "cannot read the file: \(reason)"
    case .empty: "the file is empty; its first line must name the columns"
    case .quoteNotClosed(let line): "line \(line): a quote is opened and never closed"
    case .textAfterQuote(let line):
      "line \(line): there is text behind a closing quote; a quote inside of quotes is doubled"
    case .nul(let line): "line \(line): there is a NUL byte; if the file is UTF-16, give --encoding utf-16"
    case .rowTooLong(let line, let isQuoted):
      "line \(line): a row of more than \(CSVReader.standardLimit >> 20) MB begins here"
        + (isQuoted ? "; is a quote not closed?" : "")
    case .halfCharacter: "the file is not UTF-16: it has half a character"
    }
  }
}
