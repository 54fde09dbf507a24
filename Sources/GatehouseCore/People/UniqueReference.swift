/// S4: where a workspace requires a reference of its users, no two of them have the same one.
///
/// References are in no index: they are set rarely, and an index would cost every user of every workspace its
/// bytes. The commands that set one in such a workspace, or bring a user there, hold all partitions and look
/// through everybody; nothing else pays. Users that shared a reference before the policy was set keep it.
extension Turn {
  /// Refuses a reference that another user of one of these workspaces has, where the workspace requires one.
  /// References are compared letter by letter; that of a deleted user is free again.
  public func requireUnique(
    reference: String, of user: UserID?, in workspaces: some Sequence<WorkspaceID>
  ) throws(Halt) {
    guard !reference.isEmpty else { return }
    read(directory.lsn)
    let strict = workspaces.filter { directory.workspace($0).policies.requiredFields.contains("reference") }
    guard !strict.isEmpty else { return }
    for cell in try everything() {
      // That nobody has it is read of the whole partition.
      read(cell.state.lsn)
      guard let holder = cell.state.firstUser(with: reference, except: user, in: strict) else { continue }
      throw .refused(
        .rule(
          "user.required-fields",
          "reference \(reference) belongs to another user of \(directory.workspace(holder).name)",
          instead: "give a reference that nobody there has"))
    }
  }
}

extension PartitionState {
  /// The workspace, of those given, in which a user other than `excepted` has this reference.
  fileprivate func firstUser(
    with reference: String, except excepted: UserID?, in workspaces: [WorkspaceID]
  ) -> WorkspaceID? {
    var reference = reference
    return reference.withUTF8 { wanted in
      for serial in 1..<(users.last + 1) where users[serial].isUsed && users[serial].status != .deleted {
        let isSame = users.withDetails(of: serial) { details in
          Details.field(UserTag.reference, in: details).map { $0.elementsEqual(wanted) } ?? false
        }
        guard isSame, id(serial) != excepted else { continue }
        if let shared = workspaces.first(where: { isMember(serial, of: $0) }) { return shared }
      }
      return nil
    }
  }
}
