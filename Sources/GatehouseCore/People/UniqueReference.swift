/// S4: if a workspace requires a reference, no two users with this home have the same one (W5).
///
/// Each partition indexes its users that have a reference: 11 bytes for each of them, nothing for the others. A command
/// that sets a reference in such a workspace holds all partitions and looks it up in each. Users that shared a
/// reference before the policy was set keep it.
extension Turn {
  /// Refuses a reference that another user of the home has, if the home requires one. References are compared
  /// without case, as people read them; a deleted user's is free again.
  public func requireUnique(reference: String, of user: UserID?, in home: WorkspaceID?) throws(Halt) {
    guard !reference.isEmpty, let home else { return }
    read(directory.lsn)
    let workspace = directory.workspace(home)
    guard workspace.policies.requiredFields.contains("reference") else { return }
    for cell in try everything() {
      // The absence is read from the whole partition.
      read(cell.state.lsn)
      guard cell.state.hasUser(with: reference, except: user, home: home) else { continue }
      throw .refused(
        .rule(
          "user.required-fields",
          "reference \(reference) belongs to another user of \(workspace.name)",
          instead: "choose another reference"))
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
          Details.field(UserTag.reference, in: details).map { Self.isSame($0, UnsafeRawBufferPointer(wanted)) } ?? false
        }
      } != nil
    }
  }

  /// Adds a user's reference, if any, to the index.
  mutating func indexReference(of serial: Int) {
    if let hash = hash(ofReferenceOf: serial) { people.references.insert(serial, hash: hash) }
  }

  /// Removes a user's reference from the index; call it before the reference changes.
  mutating func forgetReference(of serial: Int) {
    if let hash = hash(ofReferenceOf: serial) { people.references.remove(serial, hash: hash) }
  }

  /// Builds the index after a snapshot was read.
  mutating func indexReferences() {
    for serial in 1..<(people.users.last + 1) where people.users[serial].isUsed { indexReference(of: serial) }
  }

  private func hash(ofReferenceOf serial: Int) -> UInt32? {
    people.users.withDetails(of: serial) { details in
      Details.field(UserTag.reference, in: details).flatMap { $0.isEmpty ? nil : hash(ofReference: $0) }
    }
  }

  private func hash(ofReference reference: UnsafeRawBufferPointer) -> UInt32 {
    FoldedText.with(reference) { UInt32(truncatingIfNeeded: sipHash($0, key: partitioning.key)) }
  }

  private static func isSame(_ one: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer) -> Bool {
    FoldedText.with(one) { one in FoldedText.with(other) { sameBytes(one, $0) } }
  }
}
