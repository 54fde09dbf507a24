import Foundation
import GatehouseTestSupport
import Testing

@testable import GatehouseWeb

@Suite("CSV of the console", .blocking)
struct CSVTests {
  /// Python's `csv` reads what spreadsheets read.
  @Test("every text is one cell, and no cell is carried out")
  func cells() throws {
    let hostile = [
      "b\"\u{301},=HYPERLINK(\"http://evil\")", "x\"\u{301},=1+1", "=1+1", " =1+1", "\u{a0}@x", "\u{ff1d}1", "\n=1",
      "\u{200b}=1", "a\u{d4e}\"b", "a,\u{301}b", "line\r\nbreak", "'=x", "-", "", "plain", "\u{301}=1",
    ]
    let rows = hostile.map { [$0, "next"] }
    let text = CSV.text(rows)
    let program = """
      import csv, io, json, sys
      print(json.dumps(list(csv.reader(io.StringIO(bytes.fromhex(sys.argv[1]).decode(), newline="")))))
      """
    let hex = text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    let run = try runProgram("python3", ["-c", program, hex])
    #expect(run.succeeded, "\(run.errors)")
    let read = try JSONDecoder().decode([[String]].self, from: Data(run.output.utf8))
    #expect(read.count == rows.count)
    for (cells, typed) in zip(read, hostile) {
      #expect(cells.count == 2 && cells.last == "next", "\(typed.debugDescription)")
      let cell = cells.first ?? ""
      #expect(Array(cell.utf8) == Array(typed.utf8) || Array(cell.utf8) == Array(("'" + typed).utf8))
      let first = cell.unicodeScalars.first { !$0.properties.isWhitespace && $0 != "\u{200b}" }
      #expect(first.map { !"=+-@\u{ff1d}".unicodeScalars.contains($0) } ?? true, "\(cell.debugDescription)")
    }
  }
}
