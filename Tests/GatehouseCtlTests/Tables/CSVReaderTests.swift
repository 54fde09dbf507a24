import GatehouseCore
import GatehouseTestSupport
import Testing

@testable import gatehousectl

@Suite("CSV: reading", .blocking)
struct CSVReaderTests {
  /// All rows as texts, and the lines on which they begin.
  static func read(
    _ text: String, delimiter: String? = ",", pieces: Int = .max, limit: Int = CSVReader.standardLimit
  ) throws -> [(line: Int, cells: [String])] {
    var rest = Array(text.utf8)[...]
    var reader = try CSVReader(delimiter: delimiter?.utf8.first, limit: limit) {
      let piece = Array(rest.prefix(pieces))
      rest = rest.dropFirst(pieces)
      return piece
    }
    var rows: [(line: Int, cells: [String])] = []
    while try reader.next() {
      let row = reader.row
      rows.append((row.line, (0..<row.count).map { String(decoding: row[$0], as: UTF8.self) }))
    }
    return rows
  }

  static let good: [(text: String, rows: [[String]], lines: [Int])] = [
    ("", [], []),
    ("a,b", [["a", "b"]], [1]),
    ("a,b\n", [["a", "b"]], [1]),
    ("a,b\r\nc,d\r\n", [["a", "b"], ["c", "d"]], [1, 2]),
    ("a\rb\rc", [["a"], ["b"], ["c"]], [1, 2, 3]),
    ("a,\n,b\n,", [["a", ""], ["", "b"], ["", ""]], [1, 2, 3]),
    ("\n\na\r\n\r\nb\n\n", [["a"], ["b"]], [3, 5]),
    ("\"\"\n", [[""]], [1]),
    ("\"a\",\"b,c\",\"d\"\"e\"", [["a", "b,c", "d\"e"]], [1]),
    ("\"a\nb\r\nc\rd\",e\nf,g", [["a\nb\r\nc\rd", "e"], ["f", "g"]], [1, 5]),
    ("\"\"\"\",\"\"\"\"\"\"", [["\"", "\"\""]], [1]),
    ("a\"b,c\"\"d", [["a\"b", "c\"\"d"]], [1]),
    (" \"a\" , b ", [[" \"a\" ", " b "]], [1]),
    ("a,b,c\nd\ne,f,g,h", [["a", "b", "c"], ["d"], ["e", "f", "g", "h"]], [1, 2, 3]),
    ("\"a\0b\"", [["a\0b"]], [1]),
  ]

  @Test("each form, in pieces of every size", arguments: good.indices)
  func forms(_ index: Int) throws {
    let (text, rows, lines) = Self.good[index]
    for pieces in [1, 2, 3, 5, .max] {
      let found = try Self.read(text, pieces: pieces)
      #expect(found.map(\.cells) == rows, "\(text.debugDescription) in pieces of \(pieces)")
      #expect(found.map(\.line) == lines, "\(text.debugDescription) in pieces of \(pieces)")
    }
  }

  static let bad: [(text: String, error: TableError, message: String)] = [
    ("a\nb,\"c\nd\ne", .quoteNotClosed(line: 2), "line 2: a quote is opened and never closed"),
    ("\"", .quoteNotClosed(line: 1), "line 1: a quote is opened and never closed"),
    (
      "a\n\"b\"c,d", .textAfterQuote(line: 2),
      "line 2: there is text behind a closing quote; a quote inside of quotes is doubled"
    ),
    ("a\nb\0c", .nul(line: 2), "line 2: there is a NUL byte; if the file is UTF-16, give --encoding utf-16"),
    ("\0", .nul(line: 1), "line 1: there is a NUL byte; if the file is UTF-16, give --encoding utf-16"),
  ]

  @Test("damage is refused, and the error names the line", arguments: bad.indices)
  func damage(_ index: Int) throws {
    let (text, error, message) = Self.bad[index]
    for pieces in [1, 2, .max] {
      #expect(throws: error, "\(text.debugDescription)") { _ = try Self.read(text, pieces: pieces) }
    }
    #expect("\(error)" == message)
  }

  @Test("a row has a limit, with quotes and without, in bytes and in cells")
  func limit() throws {
    let long = String(repeating: "x", count: (1 << 20) - 1)
    #expect(try Self.read("a\n\(long)\n").count == 2)
    #expect(throws: TableError.rowTooLong(line: 2, isQuoted: false)) { _ = try Self.read("a\n\(long)x,y\n") }
    #expect(throws: TableError.rowTooLong(line: 2, isQuoted: true)) {
      _ = try Self.read("a\n\"b\n\(long)", pieces: 4096)
    }
    #expect(throws: TableError.rowTooLong(line: 1, isQuoted: false)) {
      _ = try Self.read(String(repeating: ",", count: 2 << 20))
    }
    #expect("\(TableError.rowTooLong(line: 2, isQuoted: true))".hasSuffix("begins here; is a quote not closed?"))
  }

  @Test(
    "the delimiter is the one that the first line has most of, outside of quotes",
    arguments: [
      ("a,b\nc;d;e\n", [["a", "b"], ["c;d;e"]]), ("a;b,b;c\n", [["a", "b,b", "c"]]),
      ("a\tb\nc\td", [["a", "b"], ["c", "d"]]), ("\"a,b,c\";d", [["a,b,c", "d"]]), ("a\nb,c", [["a"], ["b", "c"]]),
      ("\n\na;b\n", [["a", "b"]]),
    ])
  func delimiters(_ text: String, _ rows: [[String]]) throws {
    for pieces in [1, .max] {
      #expect(try Self.read(text, delimiter: nil, pieces: pieces).map(\.cells) == rows, "\(text.debugDescription)")
    }
  }

  /// What Python's `csv` writes and reads, in any dialect, we read and write alike.
  @Test("Python writes and we read; we write and Python reads", arguments: 0..<12)
  func python(_ seed: Int) throws {
    let folder = try TemporaryFolder("csv")
    let made = try runProgram("python3", ["-c", Self.writing, String(seed), folder.path("made.csv")])
    #expect(made.succeeded, "\(made.errors)")
    let wanted = try JSONRows(made.output)
    let file = try InputFile(folder.path("made.csv"))
    var reader = try CSVReader(delimiter: wanted.delimiter) { () throws(TableError) in try file.next() }
    var rows: [[String]] = []
    while try reader.next() {
      let row = reader.row
      rows.append((0..<row.count).map { String(decoding: row[$0], as: UTF8.self) })
    }
    #expect(rows == wanted.rows, "seed \(seed)")

    var writer = CSVWriter(delimiter: wanted.delimiter)
    for row in wanted.rows { writer.row(row.map { Array($0.utf8) }) }
    try JSONRows.write(writer.take(), to: folder.path("ours.csv"))
    let words = ["-c", Self.reading, folder.path("ours.csv"), String(UnicodeScalar(wanted.delimiter))]
    let read = try runProgram("python3", words)
    #expect(read.succeeded, "\(read.errors)")
    #expect(try JSONRows(read.output).rows == wanted.rows, "seed \(seed)")
  }

  private static let writing = #"""
    import csv, json, random, sys
    dice = random.Random(int(sys.argv[1]))
    delimiter = dice.choice(",;\t|")
    pieces = ["", "a", "é", "😀", "\"", "\"\"", ",", ";", "\t", "\n", "\r", "\r\n", " ", "'", "=1+1", "x" * 70000, "|", "\u2028"]
    rows = []
    for _ in range(dice.randrange(1, 300)):
        cells = ["".join(dice.choice(pieces) for _ in range(dice.randrange(0, 6))) for _ in range(dice.randrange(1, 7))]
        rows.append(cells)
    ends = dice.choice(["\n", "\r\n", "\r"])
    # Before 3.13 Python quotes only the line ends that it writes itself, and misreads the others afterwards.
    quoting = dice.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]) if ends == "\r\n" else csv.QUOTE_NONNUMERIC
    with open(sys.argv[2], "w", newline="", encoding="utf-8") as out:
        csv.writer(out, delimiter=delimiter, lineterminator=ends, quoting=quoting).writerows(rows)
    print(json.dumps({"delimiter": ord(delimiter), "rows": rows}))
    """#

  private static let reading = #"""
    import csv, json, sys
    csv.field_size_limit(1 << 30)
    with open(sys.argv[1], newline="", encoding="utf-8") as source:
        rows = list(csv.reader(source, delimiter=sys.argv[2], strict=True))
    print(json.dumps({"delimiter": ord(sys.argv[2]), "rows": rows}))
    """#

  /// Files that no program writes: nothing is read wrongly in silence, and nothing stops the program.
  @Test("random bytes are read as Python reads them, or refused", arguments: 0..<40)
  func hostile(_ seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let pieces = ["a", "b", "\"", "\"\"", ",", "\n", "\r", "\r\n", " ", "\u{feff}", "é"]
    let text = (0..<Int.random(in: 1...60, using: &random)).map { _ in pieces.randomElement(using: &random)! }.joined()
    let folder = try TemporaryFolder("csv")
    try JSONRows.write(Array(text.utf8), to: folder.path("hostile.csv"))
    let python = try runProgram("python3", ["-c", Self.reading, folder.path("hostile.csv"), ","])
    let wanted = python.succeeded ? try JSONRows(python.output).rows.filter { !$0.isEmpty } : nil
    let whole = try? Self.read(text).map(\.cells)
    for pieces in [1, 3] { #expect((try? Self.read(text, pieces: pieces).map(\.cells)) == whole) }
    // Python takes a quote that is never closed as closed unless it is strict, and so it is here.
    #expect(whole == wanted, "seed \(seed): \(text.debugDescription), Python says \(python.errors)")
  }
}
