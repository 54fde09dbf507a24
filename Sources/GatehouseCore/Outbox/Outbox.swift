/// The messages of a partition that wait to be sent.
public struct Outbox: ~Copyable, Sendable {
  public internal(set) var mails: [MailID: Mail] = [:]
  /// The serial number of the newest message ever queued.
  public internal(set) var last = 0

  public init() {}
}

extension Outbox: Aggregate {
  mutating func copy() -> Outbox {
    var copy = Outbox()
    copy.mails = mails
    copy.last = last
    return copy
  }

  static let sections: [StoredSection<PartitionState>] = [
    StoredSection(9) { state, writer in
      writer.list(state.outbox.mails.sorted { $0.key < $1.key }) { $0.stored($1.value) }
      writer.varint(state.outbox.last)
    } read: { (state, reader, layout) throws(CodingError) in
      for _ in 0..<(try reader.count()) {
        let mail = try reader.stored(Mail.none, layout)
        state.outbox.mails[mail.id] = mail
      }
      state.outbox.last = try reader.number()
    }
  ]

  static func check(_ state: borrowing PartitionState, _ checker: InvariantChecker) {
    for (id, mail) in state.outbox.mails {
      checker.expect(
        id == mail.id && state.isMine(id) && state.partitioning.serial(of: id) <= state.outbox.last,
        "mail #\(id.raw) is in the wrong partition or has a wrong number")
      checker.expect(checker.user(mail.user) != nil, "mail #\(id.raw) is about an unknown user")
    }
  }
}
