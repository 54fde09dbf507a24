/// What a provisioning system, such as a company's identity provider, keeps of a user in a workspace: its own identifier
/// of the person (`externalId`), and attributes for which Gatehouse has no field of its own. Values are kept as they were
/// sent. They are stored with the login: a later login of the same contact begins without them.
public struct ProvisionedValue: Sendable, Equatable {
  /// The attribute that identifies a person in the provisioning system. No two users of a workspace have the same one.
  public static let externalID = "externalId"

  public let workspace: WorkspaceID
  public let name: String
  public let text: String
}

extension People {
  /// The values of a user, in the order in which they were first given.
  func provisioned(of user: Int) -> [ProvisionedValue] {
    users.withDetails(of: user) { details in
      guard let field = Details.field(UserTag.provisioned, in: details) else { return [] }
      var reader = ByteReader(field)
      let values = try? reader.list { (reader) throws(CodingError) in
        ProvisionedValue(workspace: try reader.number(), name: try reader.text(), text: try reader.text())
      }
      return values ?? []
    }
  }

  /// The value of one attribute; empty if there is none.
  func provisioned(_ name: String, of user: Int, in workspace: WorkspaceID) -> String {
    provisioned(of: user).first { $0.workspace == workspace && $0.name == name }?.text ?? ""
  }

  fileprivate mutating func setProvisioned(_ value: ProvisionedValue, of user: Int) {
    var values = provisioned(of: user)
    let index = values.firstIndex { $0.workspace == value.workspace && $0.name == value.name }
    switch (index, value.text.isEmpty) {
    case (let index?, true): values.remove(at: index)
    case (let index?, false): values[index] = value
    case (nil, true): break
    case (nil, false): values.append(value)
    }
    var details = users.details(of: user)
    if values.isEmpty {
      details.remove(UserTag.provisioned)
    } else {
      details.encode(UserTag.provisioned) { writer in
        writer.list(values) { writer, value in
          writer.varint(value.workspace)
          writer.text(value.name)
          writer.text(value.text)
        }
      }
    }
    users.setDetails(of: user, details.bytes)
  }
}

// MARK: External identifiers

/// Each partition indexes its users that have an external identifier: 11 bytes for each, nothing for the others. A
/// command that sets one holds all partitions and looks it up in each.
extension PartitionState {
  /// The live member of a workspace with this external identifier. Case matters, because it is not ours to interpret.
  func user(withExternalID text: String, in workspace: WorkspaceID) -> Int? {
    people.externalIDs.find(hash(ofExternalID: text, workspace)) { serial in
      people.users[serial].status != .deleted && people.isMember(serial, of: workspace)
        && people.provisioned(ProvisionedValue.externalID, of: serial, in: workspace) == text
    }
  }

  /// Adds a user's external identifiers, if any, to the index.
  mutating func indexExternalIDs(of serial: Int) {
    for value in people.externalIDs(of: serial) {
      people.externalIDs.insert(serial, hash: hash(ofExternalID: value.text, value.workspace))
    }
  }

  /// Removes a user's external identifiers from the index; call it before they change.
  mutating func forgetExternalIDs(of serial: Int) {
    for value in people.externalIDs(of: serial) {
      people.externalIDs.remove(serial, hash: hash(ofExternalID: value.text, value.workspace))
    }
  }

  /// Builds the index after a snapshot was read.
  mutating func indexExternalIDs() {
    for serial in 1..<(people.users.last + 1) where people.users[serial].isUsed { indexExternalIDs(of: serial) }
  }

  mutating func setProvisioned(_ value: ProvisionedValue, of serial: Int) {
    let isIndexed = value.name == ProvisionedValue.externalID
    if isIndexed { forgetExternalIDs(of: serial) }
    people.setProvisioned(value, of: serial)
    if isIndexed { indexExternalIDs(of: serial) }
  }

  /// Removes what a workspace's provisioning system keeps of a user who leaves it, so that its identifier is free.
  mutating func forgetProvisioned(of serial: Int, in workspace: WorkspaceID) {
    for value in people.provisioned(of: serial) where value.workspace == workspace {
      setProvisioned(ProvisionedValue(workspace: workspace, name: value.name, text: ""), of: serial)
    }
  }

  private func hash(ofExternalID text: String, _ workspace: WorkspaceID) -> UInt32 {
    var text = text
    let hash = text.withUTF8 { sipHash(UnsafeRawBufferPointer($0), key: partitioning.key) }
    return UInt32(truncatingIfNeeded: hash) ^ (workspace &* 0x9e37_79b9)
  }
}

extension People {
  func externalIDs(of user: Int) -> [ProvisionedValue] {
    provisioned(of: user).filter { $0.name == ProvisionedValue.externalID }
  }
}
