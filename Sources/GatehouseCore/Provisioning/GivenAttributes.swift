/// The attributes and values that a command gives of a user, each attribute once.
struct GivenAttributes {
  private(set) var values: [(name: String, text: String)] = []
  /// Those that were given, to find one given twice.
  private var given: Set<String> = []

  /// The option by which `USER.CREATE` takes them.
  static let option = Argument.option("PROVISION", parts: ["attribute", "value"], repeats: true)

  /// Those of a new user.
  init(optionsOf turn: Turn) throws(Halt) {
    for words in try turn.options("PROVISION") { try add(words[0], words[1]) }
  }

  /// Those of a command that is made of them.
  init(pairsOf turn: Turn) throws(Halt) {
    for pair in try turn.pairs(of: "attribute") {
      try add(try turn.text(pair.name, "attribute"), try turn.text(pair.value, "value"))
    }
  }

  private mutating func add(_ name: String, _ text: String) throws(Halt) {
    guard !EntityNames.isBlank(name), name.utf8.count <= Limits.attributeBytes else {
      throw .refused(
        .syntax("the name of an attribute has 1 to \(Limits.attributeBytes) bytes, and a visible character"))
    }
    guard text.utf8.count <= Limits.textBytes else {
      throw .refused(.syntax("\(name) is longer than \(Limits.textBytes) bytes; shorten it"))
    }
    guard given.insert(name).inserted else {
      throw .refused(.syntax("attribute \(name) is given twice"))
    }
    values.append((name, text))
  }

  // MARK: Setting

  /// Refuses an external identifier that another user of the workspace has, and more attributes than one may have.
  ///
  /// - Parameter user: whom they are given to; nil for a new user.
  func check(_ user: UserReference?, in workspace: Workspace, _ turn: Turn) throws(Halt) {
    let held =
      user.map { $0.cell.state.people.provisioned(of: $0.serial).filter { $0.workspace == workspace.id } } ?? []
    let names = Set(held.map(\.name)).union(values.filter { !$0.text.isEmpty }.map(\.name))
    guard names.count <= Limits.attributesOfUser else {
      throw .refused(.limit("attributes: a user has at most \(Limits.attributesOfUser) of a workspace"))
    }
    guard let external = values.first(where: { $0.name == ProvisionedValue.externalID })?.text, !external.isEmpty,
      held.first(where: { $0.name == ProvisionedValue.externalID })?.text != external
    else { return }
    for cell in try turn.everything() {
      // The absence is read from the whole partition.
      turn.read(cell.state.lsn)
      guard let serial = cell.state.user(withExternalID: external, in: workspace.id), cell.state.id(serial) != user?.id
      else { continue }
      throw .refused(
        .conflict("externalId: \(external) belongs to another user of \(workspace.name); each has one of their own"))
    }
  }

  /// - Parameter held: the user as it is now; nil for a new one.
  /// - Returns: how many change.
  func emit(over user: UserID, _ held: UserReference?, in workspace: WorkspaceID, _ turn: Turn) -> Int {
    var count = 0
    for (name, new) in values {
      let old = held.map { $0.cell.state.people.provisioned(name, of: $0.serial, in: workspace) } ?? ""
      guard old != new else { continue }
      turn.emit(ProvisionedSet(user, workspace, name, old: old, new: new))
      count += 1
    }
    return count
  }
}
