/// The numbers under which the archive's index finds the records about somebody.
///
/// Users, contacts and actors have numbers apart from each other, for their ids overlap.
public enum RecordKey {
  /// The records that concern a user.
  public static func of(_ id: UserID) -> UInt64 { id.raw << 2 }

  /// The records that concern a contact, whichever login it had.
  public static func of(_ id: ContactID) -> UInt64 { id.raw << 2 | 1 }

  /// The records of what somebody did.
  public static func ofActor(_ id: UserID) -> UInt64 { id.raw << 2 | 2 }

  /// All records that are shown as those about a user: what happened to it and what happened to its contact.
  public static func about(_ user: UserID, contact: ContactID?) -> [UInt64] {
    [of(user)] + (contact.map { [of($0)] } ?? [])
  }

  /// Finds the keys of a record.
  ///
  /// - Parameters:
  ///   - bytes: the record as the log has it.
  ///   - keys: receives the keys; the same may come more than once.
  /// - Returns: the record's time in unix milliseconds. A record that cannot be read has no keys and the time 0:
  ///   whoever is to understand it says what is wrong.
  @Sendable public static func find(in bytes: UnsafeRawBufferPointer, _ keys: inout [UInt64]) -> UInt64 {
    var reader = ByteReader(bytes)
    guard let record = try? Record(from: &reader) else { return 0 }
    let header = record.header
    if let actor = header.actor { keys.append(ofActor(actor)) }
    // What was done in somebody's name is that person's business.
    if let subject = header.subject, subject != header.actor { keys.append(of(subject)) }
    for change in record.changes { change.addKeys(&keys) }
    return UInt64(clamping: header.time)
  }
}

extension Change {
  fileprivate func addKeys(_ keys: inout [UInt64]) {
    if let user { keys.append(RecordKey.of(user)) }
    switch self {
    case .contactCreated(let contact, _), .contactSet(let contact, _, _, _): keys.append(RecordKey.of(contact))
    case .userCreated(let created): keys.append(RecordKey.of(created.contact))
    case .sessionOpened(let opened):
      if let actor = opened.impersonation?.actor { keys.append(RecordKey.of(actor)) }
    default: break
    }
  }
}
