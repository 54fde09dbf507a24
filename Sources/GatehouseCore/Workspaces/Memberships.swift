extension People {
  /// The workspaces of a user, home first.
  public func memberships(of serial: Int) -> [WorkspaceID] {
    let list = try? users.details(of: serial).decode(UserTag.memberships) { (reader) throws(CodingError) in
      try reader.list { (reader) throws(CodingError) in try reader.number(WorkspaceID.self) }
    }
    return list ?? [mainWorkspace]
  }

  public func isMember(_ serial: Int, of workspace: WorkspaceID) -> Bool {
    users.withDetails(of: serial) { raw in
      guard let field = Details.field(UserTag.memberships, in: raw) else { return workspace == mainWorkspace }
      var reader = ByteReader(field)
      let list = try? reader.list { (reader) throws(CodingError) in try reader.number(WorkspaceID.self) }
      return list?.contains(workspace) ?? false
    }
  }

  mutating func setMemberships(of serial: Int, _ workspaces: [WorkspaceID], _ lsn: LSN) {
    let filed = filed(user: serial)
    defer { refile(filed) }
    var details = users.details(of: serial)
    details.encode(UserTag.memberships) { $0.list(workspaces) { $0.varint($1) } }
    users.setDetails(of: serial, details.bytes)
    touch(user: serial, lsn)
  }
}
