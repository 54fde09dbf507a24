import GatehouseTestSupport
import Testing

import GatehouseCore

@Suite("CSV: formulas", .blocking)
struct FormulaGuardTests {
  @Test(
    "an apostrophe before what a spreadsheet carries out, and before values that look guarded",
    arguments: [
      ("=1+1", "'=1+1"), ("+420 1", "'+420 1"), ("-5", "'-5"), ("@x", "'@x"), ("\tx", "'\tx"), ("\rx", "'\rx"),
      ("\nx", "'\nx"), ("'=x", "''=x"), ("''-", "'''-"), ("'t Hooft", "'t Hooft"), ("'", "'"), ("", ""), ("a=b", "a=b"),
      (" =1", "' =1"), ("\u{a0}\u{feff}@x", "'\u{a0}\u{feff}@x"), ("\u{ff1d}1", "'\u{ff1d}1"),
      ("\u{ff0b}1", "'\u{ff0b}1"),
      ("\u{ff0d}1", "'\u{ff0d}1"), ("\u{ff20}1", "'\u{ff20}1"), ("=\u{301}1", "'=\u{301}1"), (" a=b", " a=b"),
      ("\u{d4e}=1", "\u{d4e}=1"), ("' =", "'' ="),
    ])
  func guarded(_ value: String, _ cell: String) {
    let made = FormulaGuard.guarded(Array(value.utf8))
    #expect(String(decoding: made, as: UTF8.self) == cell)
    #expect(String(decoding: FormulaGuard.unguarded(made[...]), as: UTF8.self) == value)
  }

  @Test("every value of up to five of these characters comes back")
  func everything() {
    var values: [[UInt8]] = [[]]
    for _ in 0..<5 { values += values.flatMap { value in Array("'=- a\t".utf8).map { value + [$0] } } }
    for value in values {
      let cell = FormulaGuard.guarded(value)
      #expect(Array(FormulaGuard.unguarded(cell[...])) == value)
      // What is left to a spreadsheet never begins with a formula.
      #expect(cell.first { $0 != UInt8(ascii: " ") }.map { !"=-\t".utf8.contains($0) } ?? true)
    }
  }
}
