import Mustache

/// What a template shows: values by name. Templates look for a name that a struct lacks, or has as nil, in what stands
/// around it; here nil means that nothing is shown.
struct Values: MustacheParent, Sendable, ExpressibleByDictionaryLiteral {
  private var members: [String: any Sendable] = [:]

  init(dictionaryLiteral elements: (String, (any Sendable)?)...) {
    for (name, value) in elements { self[name] = value }
  }

  subscript(name: String) -> (any Sendable)? {
    get { members[name] }
    set { members[name] = newValue ?? Nothing() }
  }

  func child(named name: String) -> Any? { members[name] }

  /// A value that is not there: no text, and its sections are left out.
  private struct Nothing: MustacheCustomRenderable {
    var renderText: String { "" }
    var isNull: Bool { true }
  }
}
