import GatehouseWire

/// The page before a change that is otherwise carried out at once, where somebody would lose a login by it: who, and what
/// becomes of the seats; a reason is asked, and sending it does it.
struct LossPage {
  /// What the page asks: `Change the seats?`
  var title: String
  var submit: String
  var command: [String]
  /// Where the form was sent, and goes again.
  var action: Address
  /// Its fields.
  var fields: [(name: String, value: String)]
  var cancel: Address
  var area: Address

  private static let confirmed = "confirmed"

  /// - Returns: nil if nobody would lose a login, or the page was answered.
  /// - Throws: `CommandFailure` if the server refuses the change.
  func page(_ visit: Visit) async throws -> Page? {
    guard visit.form[Self.confirmed].isEmpty else { return nil }
    let (verdict, trial) = await visit.trial(command + ["REASON", "trial"])
    // What is refused is told where it is tried in earnest.
    guard verdict.isAllowed, Trial(trial).takesLogins else { return nil }
    let confirmation = Confirmation(
      submit, command, to: action, hidden: fields + [(Self.confirmed, "1")], cancel: cancel,
      undo: "What was set can be set back by hand. The trail has what it was.")
    return Page(title, area: area, try await confirmation.blocks(visit))
  }
}
