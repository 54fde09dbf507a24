import GatehouseWire

extension Visit {
  /// What to say after a change: that it is done, or that it waits for a second person.
  ///
  /// - Parameter command: one that *Undo* can take back.
  func done(_ reply: RESPValue, _ text: String, undo command: String? = nil) async -> Flash {
    if case .map = reply, let approval = reply["approval"]?.integer {
      return Flash(
        "Nothing is changed yet: a second person has to agree. It waits as approval \(approval).", tone: .warn)
    }
    guard let command else { return Flash(text) }
    return Flash(text, undo: await lastRecord(of: command))
  }
}
