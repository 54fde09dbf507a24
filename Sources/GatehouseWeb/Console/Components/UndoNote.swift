import GatehouseCore
import GatehouseWire

/// Whether and until when something can be taken back.
enum UndoNote: Sendable, ExpressibleByStringInterpolation {
  case text(String)
  /// As long as the policy `undo.window` says.
  case window

  init(stringLiteral text: String) { self = .text(text) }

  /// - Parameter home: the workspace whose policy it is; nil for the one that is looked at.
  func cells(_ visit: Visit, home: String?) async -> [Cell] {
    guard case .window = self else {
      if case .text(let text) = self { return [.muted(text)] }
      return []
    }
    let reply = try? await visit.readIfAllowed("WORKSPACE.GET", home?.nonEmpty ?? visit.workspace)
    guard let window = reply?["policy.undo.window"], let length = TimeText.duration(window.shown) else {
      return [.muted("It can be taken back for as long as the policy undo.window says.")]
    }
    if length == 0 { return [.muted("It cannot be taken back: the policy undo.window is 0.")] }
    return [.muted("It can be taken back until "), .time(visit.now + length), .muted(".")]
  }
}
