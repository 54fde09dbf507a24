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

  func text(_ name: String) -> String? { members[name] as? String }
  func values(_ name: String) -> Values? { members[name] as? Values }
  func isSet(_ name: String) -> Bool { members[name].map { !($0 is Nothing) } ?? false }

  /// Changes what stands under a name, if it is one or several with values of their own.
  mutating func mapEach(_ name: String, _ change: (Values) -> Values) {
    if let one = members[name] as? Values {
      members[name] = change(one)
    } else if let several = members[name] as? [Values] {
      members[name] = several.map(change)
    }
  }

  func child(named name: String) -> Any? { members[name] }

  /// A value that is not there: no text, and its sections are left out.
  private struct Nothing: MustacheCustomRenderable {
    var renderText: String { "" }
    var isNull: Bool { true }
  }
}
