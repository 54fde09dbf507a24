/// The employments of contacts lie in the details of their rows: who has none costs no byte for them.
extension People {
  func employments(of contact: Int) -> [Employment] {
    contacts.withDetails(of: contact) { raw in
      guard let field = Details.field(ContactTag.employments, in: raw) else { return [] }
      var reader = ByteReader(field)
      let list = try? reader.list { (reader) throws(CodingError) in try reader.employment() }
      return list ?? []
    }
  }

  mutating func setEmployments(of contact: Int, _ list: [Employment], _ lsn: LSN) {
    let filed = filed(contact: contact)
    defer { refile(filed) }
    for old in employments(of: contact) { referrers.remove(contact, from: .employees(old.account)) }
    for new in list { referrers.insert(contact, into: .employees(new.account)) }
    var details = contacts.details(of: contact)
    if list.isEmpty {
      details.set(ContactTag.employments, UnsafeRawBufferPointer(start: nil, count: 0))
    } else {
      details.encode(ContactTag.employments) { $0.list(list) { $0.employment($1) } }
    }
    contacts.setDetails(of: contact, details.bytes)
    touch(contact: contact, lsn)
  }
}
