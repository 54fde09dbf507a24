import GatehouseCore
import GatehouseWire

/// The rules of `LOGIN.EXPLAIN`, each with a tick or a cross, and the remedy for those that fail.
struct RulesView {
  private let rules: [(name: String, passed: Bool, detail: String, remedy: String)]

  /// Nil if the maps are not rules.
  init?(_ maps: [[RESPValue.Pair]]) {
    var rules: [(String, Bool, String, String)] = []
    for map in maps {
      let map = RESPValue.map(map)
      guard let name = map["rule"]?.string, let passed = map["passed"]?.integer, let detail = map["detail"]?.string
      else { return nil }
      rules.append((name, passed == 1, detail, map["remedy"]?.string ?? ""))
    }
    self.rules = rules
  }

  func lines(style: TextStyle) -> [String] {
    let column = rules.reduce(0) { max($0, TextWidth.of($1.name)) } + 2
    return rules.flatMap { rule -> [String] in
      let text = TextWidth.padded(ShownText.line(rule.name), to: column) + ShownText.line(rule.detail)
      if rule.passed { return ["\(style.good("✓")) \(text)"] }
      return [style.bad("✗ \(text)")] + (rule.remedy.isEmpty ? [] : ["  → \(ShownText.line(rule.remedy))"])
    }
  }
}
