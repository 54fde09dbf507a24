extension People {
  static let sections: [StoredSection<PartitionState>] = [
    StoredSection(1, size: { $0.people.contacts.last * 64 }) { state, writer in
      state.people.contacts.encode(into: &writer)
    } read: { (state, reader, layout) throws(CodingError) in
      // What came later is only in measured values.
      let form: StoredForm = layout.form == .second ? .first : layout.form
      state.people.contacts = try RowTable.read(from: &reader, StoredLayout(form: form, seals: layout.seals))
    },
    StoredSection(2, size: { $0.people.users.last * 64 }) { state, writer in
      state.people.encodeUsers(into: &writer)
    } read: { (state, reader, layout) throws(CodingError) in
      try state.people.decodeUsers(from: &reader, layout)
      if layout.form != .measured { state.people.linkLogins() }
      state.indexReferences()
      state.indexProvisioned()
    },
    // Only names that lead elsewhere or to several users are stored; the index of the others is rebuilt from the users.
    .list(3) { state in
      state.people.otherNames.sorted { $0.key < $1.key }.flatMap(\.value)
    } write: { writer, holder in
      writer.text(holder.name)
      writer.id(holder.user)
    } read: { (state, reader, _) throws(CodingError) in
      let name = try reader.text()
      state.people.otherNames[FoldedName(name).text, default: []].append(NameHolder(user: try reader.id(), name: name))
    },
  ]

  private func encodeUsers(into writer: inout ByteWriter) {
    var named = ContiguousArray<Bool>(repeating: false, count: users.last + 1)
    names.forEach { named[$0] = true }
    var serial = 0
    users.encode(into: &writer) { writer, row in
      serial += 1
      writer.stored(StoredUser(row: row, isNamed: named[serial]))
    }
  }

  private mutating func decodeUsers(from reader: inout ByteReader, _ layout: StoredLayout) throws(CodingError) {
    var named = ContiguousArray<(serial: Int, hash: UInt32)>()
    let contactCount = UInt32(contacts.last)
    var serial = 0
    var live = 0
    users = try RowTable(from: &reader) { (reader) throws(CodingError) in
      serial += 1
      let user = try reader.stored(StoredUser(), layout)
      let row = user.row
      guard row.contact <= contactCount, row.contact > 0 || !row.isUsed else {
        throw reader.failure("a user whose contact is not there")
      }
      if user.isNamed { named.append((serial, row.nameHash)) }
      if row.isUsed, row.status != .deleted { live += 1 }
      return row
    }
    try users.checkDetails(reader)
    liveUsers = live
    names.reserve(named.count)
    for (serial, hash) in named { names.insert(serial, hash: hash) }
    referrers = foundReferrers()
    watchAllEnds()
  }
}

/// A user's row in a snapshot.
private struct StoredUser: StoredValue {
  var row = UserRow()
  /// Whether the username leads to this user in this partition; a deleted user's name may have been given to another.
  var isNamed = false

  mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.value(&row.version, as: NumberForm<UInt32>.self)
    guard row.isUsed else { return }
    try visitor.value(&isNamed, as: FlagForm.self)
    try visitor.value(&row.lsn, as: NumberForm<LSN>.self)
    try visitor.value(&row.created, as: TimeForm.self)
    // 0 means never.
    var login = row.lastLogin == 0 ? 0 : row.lastLogin &- row.created &+ 1
    try visitor.value(&login, as: SignedForm.self)
    row.lastLogin = login == 0 ? 0 : row.created &+ login &- 1
    try visitor.value(&row.contact, as: NumberForm<UInt32>.self)
    try visitor.value(&row.nameHash, as: HashForm.self)
    try visitor.value(&row.access.0, as: NumberForm<UInt32>.self)
    try visitor.value(&row.access.1, as: NumberForm<UInt32>.self)
    try visitor.value(&row.roles.bits, as: NumberForm<UInt16>.self)
    try visitor.value(&row.status, as: ChoiceForm<Status>.self)
    var flags = row.flags.rawValue
    try visitor.value(&flags, as: ByteForm.self)
    row.flags = UserRow.Flags(rawValue: flags)
  }
}
