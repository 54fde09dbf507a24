/// The numbers by which the archive's index finds the records about an entity.
///
/// Users, contacts and actors have separate ranges, because their ids overlap; so do workspaces, products and services.
public enum RecordKey {
  /// The records about a user.
  public static func of(_ id: UserID) -> UInt64 { id.raw << 2 }

  /// The records about a contact, whichever login it had.
  public static func of(_ id: ContactID) -> UInt64 { id.raw << 2 | 1 }

  /// The records of what a user did.
  public static func ofActor(_ id: UserID) -> UInt64 { id.raw << 2 | 2 }

  public enum DirectoryKind: UInt64, Sendable {
    case workspace
    case product
    /// The service that is changed, and the service on whose connection a command arrived.
    case service
  }

  /// The records about a workspace, a product or a service.
  public static func of(_ kind: DirectoryKind, _ number: UInt32) -> UInt64 {
    UInt64(number) << 4 | kind.rawValue << 2 | 3
  }

  /// Records that name a user or contact but no workspace or product: only the person's home tells to which workspace
  /// they belong.
  public static let unplaced: UInt64 = 0b1111

  /// Whether a key belongs to a user, a contact or an actor.
  public static func isOfPeople(_ key: UInt64) -> Bool { key & 3 != 3 }

  /// All records shown as being about a user: those about the login and those about its contact.
  public static func about(_ user: UserID, contact: ContactID?) -> [UInt64] {
    [of(user)] + (contact.map { [of($0)] } ?? [])
  }

  /// Finds the keys of a record.
  ///
  /// - Parameters:
  ///   - bytes: the record as stored in the log.
  ///   - keys: receives the keys; duplicates are possible.
  /// - Returns: the record's time in unix milliseconds. A record that cannot be read has no keys and the time 0;
  ///   whoever reads it reports the error.
  @Sendable public static func find(in bytes: UnsafeRawBufferPointer, _ keys: inout [UInt64]) -> UInt64 {
    var reader = ByteReader(bytes)
    guard let record = try? Record(from: &reader) else { return 0 }
    record.forEachPart { $0.addKeys(to: &keys) }
    return UInt64(clamping: record.time)
  }
}

extension RecordPart {
  /// The keys by which the part is found.
  public var keys: [UInt64] {
    var keys: [UInt64] = []
    addKeys(to: &keys)
    return keys
  }

  fileprivate func addKeys(to keys: inout [UInt64]) {
    if header.service != 0 { keys.append(RecordKey.of(.service, header.service)) }
    if let actor = header.actor { keys.append(RecordKey.ofActor(actor)) }
    // An impersonation concerns the subject too.
    if let subject = header.subject, subject != header.actor { keys.append(RecordKey.of(subject)) }
    var isUnplaced = false
    for change in changes {
      let first = keys.count
      change.known?.addKeys(to: &keys)
      let own = keys[first...]
      // The home does not show that a session was used.
      if case .sessionSeen = change { continue }
      isUnplaced = isUnplaced || !own.isEmpty && !own.contains(where: RecordKey.isPlace)
    }
    if isUnplaced { keys.append(RecordKey.unplaced) }
  }
}

extension RecordKey {
  /// Whether a key belongs to a workspace or a product.
  fileprivate static func isPlace(_ key: UInt64) -> Bool {
    switch Subject(key) {
    case .workspace, .product: true
    case .user, .contact, .actor, .service, .unplaced: false
    }
  }
}

extension Change {
  public func addKeys(to keys: inout [UInt64]) {
    var change = self
    var finder = KeyFinder(keys: keys)
    change.visit(&finder)
    keys = finder.keys
  }
}

private struct KeyFinder: FieldVisitor {
  typealias Failure = Never

  var keys: [UInt64]

  mutating func value<Form: FieldForm>(_ value: inout Form.Value, as form: Form.Type) {
    Form.addKeys(of: value, to: &keys)
  }

  mutating func later() {}
}
