/// Finding the accounts and groups that words name.
///
/// A name is one of the workspace that the option `WORKSPACE` names, also with that in front; without it one of the workspace
/// in front of a slash, `acme/Novo Nordisk A/S`, or else of `main`. `#id` names one anywhere.
extension Turn {
  func account(_ word: Int) throws(Halt) -> Account {
    try account(named: try text(word, "account", limit: Limits.titleBytes + Limits.nameBytes), in: try namedWorkspace())
  }

  func group(_ word: Int) throws(Halt) -> AccountGroup {
    try group(named: try text(word, "group", limit: Limits.titleBytes + Limits.nameBytes), in: try namedWorkspace())
  }

  private func namedWorkspace() throws(Halt) -> WorkspaceID? { has("WORKSPACE") ? try workspace().id : nil }

  /// An account that the caller knows of. Others, and deleted ones, are not even there.
  func account(named name: String, in workspace: WorkspaceID?) throws(Halt) -> Account {
    read(directory.lsn)
    let found = directory.find(name, in: workspace) { directory.accountID($0, in: $1) }
    guard
      let account = found.compactMap(directory.account).first(where: { !$0.isDeleted && knows(site(of: $0)) })
    else { throw .refused(Self.missing("account", name, in: workspace)) }
    noteNamed(account.workspace)
    return account
  }

  func group(named name: String, in workspace: WorkspaceID?) throws(Halt) -> AccountGroup {
    read(directory.lsn)
    let found = directory.find(name, in: workspace) { directory.groupID($0, in: $1) }
    guard let group = found.compactMap(directory.group).first(where: { !$0.isDeleted && knows(site(of: $0)) })
    else { throw .refused(Self.missing("group", name, in: workspace)) }
    noteNamed(group.workspace)
    return group
  }

  /// Says that there is no account or group of a name, and where it was looked for if the command did not say.
  private static func missing(_ what: String, _ name: String, in workspace: WorkspaceID?) -> Refusal {
    guard workspace == nil, !isID(name), !name.utf8.contains(UInt8(ascii: "/")) else {
      return .notFound("\(what) \(name)", of: what)
    }
    return .notFound(
      "\(what) \(name); it was looked for in main: workspace/\(what) names that of another workspace", of: what)
  }

  func site(of account: Account) -> Site { .account(account.id, of: account.workspace) }
  func site(of group: AccountGroup) -> Site { .group(group.id, of: group.workspace) }

  /// Whether a text is the id of an account or a group, `#12`, rather than its name.
  static func isID(_ text: String) -> Bool { text.utf8.first == UInt8(ascii: "#") }

  // MARK: New names

  /// A name that an account or a group is to get: a line of text, as people write it.
  ///
  /// Marks are looked for by bytes: a `#` with an accent above it is another character, and yet a `#` to whoever reads it.
  static func title(_ text: String, _ what: String) throws(Halt) -> String {
    if text.utf8.count > Limits.titleBytes {
      throw .refused(.syntax("\(what) is longer than \(Limits.titleBytes) bytes; shorten it", of: what))
    }
    if EntityNames.isBlank(text) { throw .refused(.syntax("\(what) has nothing that can be seen")) }
    if isID(text) { throw .refused(.syntax("\(what) starts with #, which stands for an id")) }
    // Names that differ only in what nobody sees read alike.
    if text.hasPrefix(" ") || text.hasSuffix(" ") || text.contains("  ")
      || text.unicodeScalars.contains(where: { $0 != " " && UnicodeTables.isNotInNames($0) })
    {
      throw .refused(
        .syntax("\(what) has a space that cannot be seen, or another such character; leave single spaces between words")
      )
    }
    return text
  }

  /// A name and a slash in front say where a name is looked for.
  private func requirePlain(_ name: String, in workspace: WorkspaceID) throws(Halt) {
    guard let slash = name.utf8.firstIndex(of: UInt8(ascii: "/")) else { return }
    if directory.workspaceID(String(name[..<slash])) == workspace {
      throw .refused(
        .syntax("name begins with the workspace's name and a slash, which say where it is; leave them out", of: "name"))
    }
    if workspace == mainWorkspace, QualifiedName.isLike(name) {
      throw .refused(
        .syntax(
          "name reads as one of a workspace \(name[..<slash]), which would stand in front of the slash; leave a blank before"
            + " the slash, or write another sign", of: "name"))
    }
  }

  func requireFree(account name: String, in workspace: WorkspaceID, besides own: AccountID? = nil) throws(Halt) {
    read(directory.lsn)
    // One that it has is no new one.
    if own.flatMap(directory.account)?.name != name { try requirePlain(name, in: workspace) }
    if let id = directory.accountID(name, in: workspace), id != own {
      throw .refused(.conflict("account: \(name) is there already; choose another name", of: "name"))
    }
  }

  func requireFree(group name: String, in workspace: WorkspaceID, besides own: GroupID? = nil) throws(Halt) {
    read(directory.lsn)
    if own.flatMap(directory.group)?.name != name { try requirePlain(name, in: workspace) }
    if let id = directory.groupID(name, in: workspace), id != own {
      throw .refused(.conflict("group: \(name) is there already; choose another name", of: "name"))
    }
  }
}

extension Directory {
  /// The numbers that a text can mean, the likeliest first: `#id`, a name in a workspace or, without one, in that before a
  /// slash or in `main`. Of the last two the caller may know only one.
  fileprivate func find(
    _ text: String, in workspace: WorkspaceID?, _ find: (String, WorkspaceID) -> UInt32?
  ) -> [UInt32] {
    if Turn.isID(text) { return UInt32(Substring(text.utf8.dropFirst())).map { [$0] } ?? [] }
    if let workspace {
      if let found = find(text, workspace) { return [found] }
      // As lists show it.
      let prefix = "\(self.workspace(workspace).name)/"
      guard text.utf8.starts(with: prefix.utf8) else { return [] }
      return find(String(Substring(text.utf8.dropFirst(prefix.utf8.count))), workspace).map { [$0] } ?? []
    }
    let qualified = text.utf8.firstIndex(of: UInt8(ascii: "/")).flatMap { slash in
      workspaceID(String(text[..<slash])).flatMap { find(String(text[text.utf8.index(after: slash)...]), $0) }
    }
    return [qualified, find(text, mainWorkspace)].compactMap(\.self)
  }
}
