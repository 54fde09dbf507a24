/// The name of an account or a group with its workspace in front: `acme/Widgets`. That of one in `main` stands alone.
///
/// Names are what people write, so they may have slashes: `Novo Nordisk A/S`. But one in `main` that begins as with a
/// workspace's name would read as one of that workspace. New names do not, whether there is such a workspace or not: who
/// else is on the server is not told (W4). Earlier versions took them: those are shown with `main` in front.
package enum QualifiedName {
  /// Whether a name reads as one with a workspace in front.
  static func isLike(_ name: String) -> Bool {
    guard let slash = name.utf8.firstIndex(of: UInt8(ascii: "/")) else { return false }
    return EntityNames.isName(String(name[..<slash]).folded)
  }

  /// How a name is shown, so that nothing else is meant by it.
  package static func shown(_ name: String, in workspace: String) -> String {
    workspace == "main" && !isLike(name) ? name : "\(workspace)/\(name)"
  }
}
