extension People {
  public func grants(of serial: Int) -> [Grant] {
    guard users[serial].roles.bits != 0 else { return [] }
    let list = try? users.details(of: serial).decode(UserTag.grants) { (reader) throws(CodingError) in
      try reader.list { (reader) throws(CodingError) in try reader.grant() }
    }
    return list ?? []
  }

  mutating func setGrants(of serial: Int, _ grants: [Grant], _ lsn: LSN) {
    let filed = filed(user: serial)
    defer { refile(filed) }
    for old in self.grants(of: serial).compactMap(\.referredTo) { referrers.remove(serial, from: old) }
    for new in grants.compactMap(\.referredTo) { referrers.insert(serial, into: new) }
    var details = users.details(of: serial)
    if grants.isEmpty {
      details.set(UserTag.grants, UnsafeRawBufferPointer(start: nil, count: 0))
    } else {
      details.encode(UserTag.grants) { $0.list(grants) { $0.grant($1) } }
    }
    users.setDetails(of: serial, details.bytes)
    users[serial].roles = RoleSet(grants)
    markReferrer(serial)
    touch(user: serial, lsn)
  }
}
