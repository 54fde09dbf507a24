/// S4: where a workspace requires a reference of its users, no two of those whose home it is have the same one (W5).
///
/// References are in no index: they are set rarely, and an index would cost every user of every workspace its
/// bytes. The commands that set one in such a workspace hold all partitions and look through everybody; nothing else pays. Users that shared a reference before the policy was set keep it.
extension Turn {
  /// Refuses a reference that another user of the home has, where the home requires one.
  /// References are compared letter by letter; that of a deleted user is free again.
  public func requireUnique(reference: String, of user: UserID?, in home: WorkspaceID?) throws(Halt) {
    guard !reference.isEmpty, let home else { return }
    read(directory.lsn)
    let workspace = directory.workspace(home)
    guard workspace.policies.requiredFields.contains("reference") else { return }
    for cell in try everything() {
      // That nobody has it is read of the whole partition.
      read(cell.state.lsn)
      guard cell.state.hasUser(with: reference, except: user, home: home) else { continue }
      throw .refused(
        .rule(
          "user.required-fields",
          "reference \(reference) belongs to another user of \(workspace.name)",
          instead: "give a reference that nobody there has"))
    }
  }
}

extension PartitionState {
  /// Whether a user of this home other than `excepted` has this reference.
  fileprivate func hasUser(with reference: String, except excepted: UserID?, home: WorkspaceID) -> Bool {
    var reference = reference
    return reference.withUTF8 { wanted in
      for serial in 1..<(people.users.last + 1)
      where people.users[serial].isUsed && people.users[serial].status != .deleted {
        let isSame = people.users.withDetails(of: serial) { details in
          Details.field(UserTag.reference, in: details).map { $0.elementsEqual(wanted) } ?? false
        }
        if isSame, id(serial) != excepted, people.home(of: serial) == home { return true }
      }
      return false
    }
  }
}
