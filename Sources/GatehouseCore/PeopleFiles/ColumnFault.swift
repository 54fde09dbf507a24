/// Why a cell of a row cannot be taken.
package struct ColumnFault: Error, Equatable {
  package let column: PersonColumn
  package let reason: String
}

extension PersonColumn {
  /// The column of a row that a refusal of the server is about: `ERR email is not an e-mail address`, `NOTFOUND product x`.
  ///
  /// - Parameter cells: those of the row that are not empty.
  package static func meant(
    by refusal: String, among cells: [(column: PersonColumn, text: String)]
  ) -> PersonColumn? {
    let words = refusal.split(separator: " ", maxSplits: 2)
    guard words.count > 1 else { return nil }
    let name = words[1].prefix { $0 != ":" }.lowercased()
    let direct = cells.first { $0.column.name == name || $0.column.name == "\(name)s" }
    let possible =
      (direct.map { [$0] } ?? []) + (refused[name] ?? []).compactMap { column in cells.first { $0.column == column } }
    // Of several columns that could mean it, the one that names it.
    let named = FoldedName(words.count > 2 ? String(words[2].prefix { $0 != ";" }) : "").text
    return (possible.first { FoldedName($0.text).text.contains(named) } ?? possible.first)?.column
  }

  /// The columns with several values that a refusal can be about, by its second word.
  private static let refused: [String: [PersonColumn]] = [
    "account": [.employments, .manages, .roles], "employed": [.employments], "employments": [.employments],
    "group": [.manages, .roles], "user": [.manages], "manages": [.manages], "management": [.manages],
    "access": [.products], "product": [.roles], "role": [.roles], "grant": [.roles], "until": [.products, .roles],
    "member": [.manages], "attribute": [.provisioned], "attributes": [.provisioned], "externalid": [.provisioned],
  ]
}
