/// How much of a table one workspace may have, and all together.
///
/// The first of a workspace find room whatever the others have: no tenants, however many, use up what another needs (W4).
public struct TableLimit: Sendable {
  public let ofWorkspace: Int
  public let ofAll: Int
  /// As many of each workspace as find room even where all together have too many.
  public let assured: Int

  enum Excess: Equatable {
    case ofWorkspace, ofAll
  }

  /// What stands in the way of one more; nil if nothing does.
  ///
  /// - Parameters:
  ///   - own: what the workspace has.
  ///   - all: what all have.
  func excess(having own: Int, ofAll all: Int) -> Excess? {
    if own >= ofWorkspace { return .ofWorkspace }
    return all >= ofAll && own >= assured ? .ofAll : nil
  }

  /// Refuses one more if there is no room for it.
  ///
  /// - Parameters:
  ///   - what: the plural, which begins the refusal.
  ///   - note: what ends it.
  func check(_ what: String, ofWorkspace own: Int, ofAll all: Int, note: String = "") throws(Halt) {
    switch excess(having: own, ofAll: all) {
    case nil: return
    case .ofWorkspace: throw .refused(.limit("\(what): at most \(ofWorkspace) of a workspace\(note)"))
    case .ofAll: throw .refused(.limit("\(what): at most \(ofAll) of all workspaces together\(note)"))
    }
  }
}
