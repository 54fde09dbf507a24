/// S4: where a workspace requires a reference of its users, no two of those whose home it is have the same one (W5).
///
/// Each partition has an index of those of its users who have a reference: 11 bytes for each of them, and nothing for the
/// others. The commands that set one in such a workspace hold all partitions and look it up in each. Users that shared a
/// reference before the policy was set keep it.
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
      people.references.find(hash(ofReference: UnsafeRawBufferPointer(wanted))) { serial in
        guard people.users[serial].status != .deleted, id(serial) != excepted, people.home(of: serial) == home else {
          return false
        }
        return people.users.withDetails(of: serial) { details in
          Details.field(UserTag.reference, in: details).map { $0.elementsEqual(wanted) } ?? false
        }
      } != nil
    }
  }

  /// Takes a user's reference into the index, if there is one.
  mutating func indexReference(of serial: Int) {
    if let hash = hash(ofReferenceOf: serial) { people.references.insert(serial, hash: hash) }
  }

  /// Takes it out, while the user still has it.
  mutating func forgetReference(of serial: Int) {
    if let hash = hash(ofReferenceOf: serial) { people.references.remove(serial, hash: hash) }
  }

  /// Makes the index of users that were read from a snapshot.
  mutating func indexReferences() {
    for serial in 1..<(people.users.last + 1) where people.users[serial].isUsed { indexReference(of: serial) }
  }

  private func hash(ofReferenceOf serial: Int) -> UInt32? {
    people.users.withDetails(of: serial) { details in
      Details.field(UserTag.reference, in: details).flatMap { $0.isEmpty ? nil : hash(ofReference: $0) }
    }
  }

  private func hash(ofReference reference: UnsafeRawBufferPointer) -> UInt32 {
    UInt32(truncatingIfNeeded: sipHash(reference, key: partitioning.key))
  }
}
