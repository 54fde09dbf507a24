/// What a provisioning system, such as a company's identity provider, keeps of a user in a workspace: its own identifier
/// of the person (`externalId`), and attributes for which Gatehouse has no field of its own. Values are kept as they were
/// sent. They are stored with the login: a later login of the same contact begins without them.
public struct ProvisionedValue: Sendable, Equatable {
  /// The attribute that identifies a person in the provisioning system. No two users of a workspace have the same one.
  public static let externalID = "externalId"
  /// The attribute that lists e-mail addresses, in whatever form. A person is found by each of them.
  public static let emails = "emails"

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

// MARK: Finding

/// Each partition indexes its users that have an external identifier: 11 bytes for each, nothing for the others. A
/// command that sets one holds all partitions and looks it up in each.
extension PartitionState {
  /// The live member of a workspace with this external identifier. Case matters, because it is not ours to interpret.
  func user(withExternalID text: String, in workspace: WorkspaceID) -> Int? {
    people.externalIDs.find(hash(of: text, workspace)) { serial in
      people.users[serial].status != .deleted && people.isMember(serial, of: workspace)
        && people.provisioned(ProvisionedValue.externalID, of: serial, in: workspace) == text
    }
  }

  /// The live members of a workspace of whom a provisioning system keeps this address, in whatever case.
  func users(withKeptAddress address: String, in workspace: WorkspaceID, most: Int) -> [Int] {
    let address = address.folded
    var found: [Int] = []
    _ = people.keptAddresses.find(hash(of: address, workspace)) { serial in
      if people.users[serial].status != .deleted, people.isMember(serial, of: workspace), !found.contains(serial),
        people.keptAddresses(of: serial).contains(where: { $0.workspace == workspace && $0.text == address })
      {
        found.append(serial)
      }
      return found.count >= most
    }
    return found.sorted()
  }

  /// Adds what a user is found by, if anything, to the indexes.
  mutating func indexProvisioned(of serial: Int) {
    for value in people.externalIDs(of: serial) {
      people.externalIDs.insert(serial, hash: hash(of: value.text, value.workspace))
    }
    for value in people.keptAddresses(of: serial) {
      people.keptAddresses.insert(serial, hash: hash(of: value.text, value.workspace))
    }
  }

  /// Removes what a user is found by from the indexes; call it before that changes.
  mutating func unindexProvisioned(of serial: Int) {
    for value in people.externalIDs(of: serial) {
      people.externalIDs.remove(serial, hash: hash(of: value.text, value.workspace))
    }
    for value in people.keptAddresses(of: serial) {
      people.keptAddresses.remove(serial, hash: hash(of: value.text, value.workspace))
    }
  }

  /// Builds the indexes after a snapshot was read.
  mutating func indexProvisioned() {
    for serial in 1..<(people.users.last + 1) where people.users[serial].isUsed { indexProvisioned(of: serial) }
  }

  mutating func setProvisioned(_ value: ProvisionedValue, of serial: Int) {
    let isIndexed = value.name == ProvisionedValue.externalID || value.name == ProvisionedValue.emails
    if isIndexed { unindexProvisioned(of: serial) }
    people.setProvisioned(value, of: serial)
    if isIndexed { indexProvisioned(of: serial) }
  }

  /// Removes what a workspace's provisioning system keeps of a user who leaves it, so that its identifier is free.
  mutating func forgetProvisioned(of serial: Int, in workspace: WorkspaceID) {
    for value in people.provisioned(of: serial) where value.workspace == workspace {
      setProvisioned(ProvisionedValue(workspace: workspace, name: value.name, text: ""), of: serial)
    }
  }

  private func hash(of text: String, _ workspace: WorkspaceID) -> UInt32 {
    var text = text
    let hash = text.withUTF8 { sipHash(UnsafeRawBufferPointer($0), key: partitioning.key) }
    return UInt32(truncatingIfNeeded: hash) ^ (workspace &* 0x9e37_79b9)
  }
}

extension People {
  func externalIDs(of user: Int) -> [ProvisionedValue] {
    provisioned(of: user).filter { $0.name == ProvisionedValue.externalID }
  }

  /// The addresses that provisioning systems list, folded, each once for its workspace: the words that have an `@`.
  func keptAddresses(of user: Int) -> [ProvisionedValue] {
    provisioned(of: user).filter { $0.name == ProvisionedValue.emails }.flatMap { list in
      Set(
        list.text.split { $0 == "\"" || $0 == "," || $0 == "<" || $0 == ">" || $0.isWhitespace }
          .filter { $0.contains("@") }.map { String($0).folded }
      ).sorted().map { ProvisionedValue(workspace: list.workspace, name: list.name, text: $0) }
    }
  }
}
