internal import HeapModule

extension Sessions {
  static let sections: [StoredSection<PartitionState>] = [
    StoredSection(4, size: { $0.sessions.rows.last * 80 }) { state, writer in
      state.sessions.encodeRows(into: &writer)
    } read: { (state, reader, layout) throws(CodingError) in
      try state.sessions.decodeRows(from: &reader, layout)
      try state.linkSessions(reader)
    },
    .list(5) { state in
      state.sessions.impersonations.sorted { $0.key < $1.key }
    } write: { writer, entry in
      writer.id(entry.key)
      writer.list(entry.value) { $0.id($1) }
    } read: { (state, reader, _) throws(CodingError) in
      state.sessions.impersonations[try reader.id()] = try reader.list { (reader) throws(CodingError) in
        try reader.id()
      }
    },
  ]

  private func encodeRows(into writer: inout ByteWriter) {
    var slot = 0
    rows.encode(into: &writer) { writer, row in
      slot += 1
      writer.stored(row.isUsed ? row : rows.vacantRow(slot))
    }
    writer.varint(free)
  }

  private mutating func decodeRows(from reader: inout ByteReader, _ layout: StoredLayout) throws(CodingError) {
    rows = try RowTable.read(from: &reader, layout)
    free = try reader.number()
    guard Int(free) <= rows.last else { throw reader.failure("a free session slot that does not exist") }
  }
}

extension PartitionState {
  /// Rebuilds the lists of sessions, their deadlines and their count from the rows.
  fileprivate mutating func linkSessions(_ reader: ByteReader) throws(CodingError) {
    guard sessions.rows.last > 0 else { return }
    var watched: [UInt64] = []
    for slot in 1...sessions.rows.last {
      let row = sessions[slot]
      guard Int(row.next) <= sessions.rows.last else { throw reader.failure("a session with a broken link") }
      guard row.isUsed else { continue }
      guard people.users.contains(Int(row.user)) else { throw reader.failure("a session of a user who does not exist") }
      if row.next != 0 { sessions[Int(row.next)].previous = UInt32(slot) }
      people.users[Int(row.user)].sessionCount += 1
      watched.append(Sessions.watchKey(&sessions[slot], slot: slot))
    }
    for slot in 1...sessions.rows.last where sessions[slot].isUsed && sessions[slot].previous == 0 {
      people.users[Int(sessions[slot].user)].sessions = UInt32(slot)
    }
    sessions.count = watched.count
    sessions.deadlines = Heap(watched)
  }
}
