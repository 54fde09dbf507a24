import GatehouseCore

extension String {
  /// The form in which the server compares names.
  var caseFolded: String { FoldedName(self).text }
}
