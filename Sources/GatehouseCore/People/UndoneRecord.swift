/// A record that was taken back, by which, and when.
struct UndoneRecord: Sendable, Equatable {
  let record: LSN
  let by: LSN
  let time: Milliseconds
}

extension People {
  /// The records about a user that were taken back, oldest first.
  func undone(of serial: Int) -> [UndoneRecord] {
    let hasNone = users.withDetails(of: serial) { Details.field(UserTag.undone, in: $0) == nil }
    if hasNone { return [] }
    let list = try? users.details(of: serial).decode(UserTag.undone) { (reader) throws(CodingError) in
      try reader.list { (reader) throws(CodingError) in
        UndoneRecord(record: try reader.varint(), by: try reader.varint(), time: try reader.signed())
      }
    }
    return list ?? []
  }

  mutating func noteUndone(_ record: LSN, of serial: Int, by lsn: LSN, at time: Milliseconds) {
    let undone = undone(of: serial).suffix(Limits.undosOfUser - 1) + [UndoneRecord(record: record, by: lsn, time: time)]
    var details = users.details(of: serial)
    details.encode(UserTag.undone) { writer in
      writer.list(Array(undone)) { writer, undone in
        writer.varint(undone.record)
        writer.varint(undone.by)
        writer.signed(undone.time)
      }
    }
    users.setDetails(of: serial, details.bytes)
    touch(user: serial, lsn)
  }
}
