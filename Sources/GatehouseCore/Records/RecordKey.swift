/// The numbers by which the archive's index finds the records about an entity.
///
/// Users, contacts and actors have separate ranges, because their ids overlap; so do workspaces, products, services and
/// the facts of them (`Fact`).
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

  /// The id as records store it: bytes that every record with the key of a user, contact or actor has. To look for them
  /// takes a tenth of the time that it takes to decode a record. nil for other keys, whose numbers are too short.
  public static func mark(of key: UInt64) -> [UInt8]? {
    guard isOfPeople(key) else { return nil }
    var writer = ByteWriter()
    writer.varint(key >> 2)
    return Array(writer.bytes)
  }

  /// All records shown as being about a user: those about the login and those about its contact.
  public static func about(_ user: UserID, contact: ContactID?) -> [UInt64] {
    [of(user)] + (contact.map { [of($0)] } ?? [])
  }

  /// Finds the keys of a record.
  ///
  /// - Parameters:
  ///   - bytes: the record as stored in the log.
  ///   - seals: opens what is sealed, so that a record is found by a username that it gives. Without it, or where the
  ///     key was destroyed, it is found by what is not sealed.
  ///   - keys: receives the keys; duplicates are possible.
  /// - Returns: the record's time in unix milliseconds. A record that cannot be read has no keys and the time 0;
  ///   whoever reads it reports the error.
  public static func find(
    in bytes: UnsafeRawBufferPointer, _ seals: (any SealKeeper)?, _ keys: inout [UInt64]
  ) -> UInt64 {
    var reader = ByteReader(bytes)
    let before = keys.count
    do {
      return UInt64(clamping: try Record.addKeys(from: &reader, seals, to: &keys))
    } catch {
      keys.removeSubrange(before...)
      return 0
    }
  }
}

extension RecordPart {
  /// The keys by which the part is found.
  public var keys: [UInt64] {
    var keys: [UInt64] = []
    var part = PartKeys(header, to: &keys)
    for change in changes {
      guard let known = change.known else { continue }
      let first = keys.count
      known.addKeys(to: &keys)
      part.note(keys[first...], of: type(of: known).code)
    }
    part.end(&keys)
    return keys
  }
}

/// Collects the keys of a part: those of its header, and the one that depends on the keys of all its changes.
struct PartKeys {
  private var isUnplaced = false

  init(_ header: RecordHeader, to keys: inout [UInt64]) {
    if header.service != 0 { keys.append(RecordKey.of(.service, header.service)) }
    if let actor = header.actor { keys.append(RecordKey.ofActor(actor)) }
    // An impersonation concerns the subject too.
    if let subject = header.subject, subject != header.actor { keys.append(RecordKey.of(subject)) }
  }

  /// Call for each change, with the keys that were added for it.
  mutating func note(_ own: ArraySlice<UInt64>, of code: UInt8) {
    // The home does not show that a session was used.
    if code == SessionSeen.code { return }
    isUnplaced = isUnplaced || !own.isEmpty && !own.contains(where: RecordKey.isPlace)
  }

  func end(_ keys: inout [UInt64]) {
    if isUnplaced { keys.append(RecordKey.unplaced) }
  }
}

extension RecordKey {
  /// Whether a key belongs to a workspace or a product.
  fileprivate static func isPlace(_ key: UInt64) -> Bool {
    switch Subject(key) {
    case .workspace, .product: true
    case .user, .contact, .actor, .service, .unplaced, .fact: false
    }
  }
}

extension Change {
  public func addKeys(to keys: inout [UInt64]) {
    var change = self
    var finder = KeyFinder(keys: keys)
    change.visit(&finder)
    keys = finder.keys
    for fact in facts { keys.append(RecordKey.of(fact)) }
  }

  public static func addKeys(from decoder: inout FieldDecoder, to keys: inout [UInt64]) throws(CodingError) {
    var reader = KeyReader(decoder: decoder)
    swap(&reader.keys, &keys)
    var change = Self()
    try change.visit(&reader)
    swap(&reader.keys, &keys)
    for fact in change.facts { keys.append(RecordKey.of(fact)) }
    decoder = reader.decoder
  }
}

extension AnyChange {
  /// Adds the keys of the next change, and returns its code.
  static func addKeys(
    from reader: inout ByteReader, _ version: UInt8, _ seals: (any SealKeeper)?, to keys: inout [UInt64]
  ) throws(CodingError) -> UInt8 {
    let code = try reader.byte()
    if version == 1 {
      var decoder = FieldDecoder(reader, .firstVersion)
      guard try addKeys(of: code, from: &decoder, to: &keys) else { throw isUnknown(code, reader) }
      reader = decoder.reader
    } else {
      let (fields, isCritical) = try reader.flaggedBlock()
      if code == SealedChange.code {
        let change = try open(fields, isCritical: isCritical, seals, of: &reader)
        guard let known = change.known else { return code }
        known.addKeys(to: &keys)
        return type(of: known).code
      }
      var decoder = FieldDecoder(fields, .bounded)
      guard try addKeys(of: code, from: &decoder, to: &keys) || !isCritical else {
        throw isOfNewerVersion(code, fields)
      }
    }
    return code
  }

  /// - Returns: false if this program does not know the kind.
  private static func addKeys(
    of code: UInt8, from decoder: inout FieldDecoder, to keys: inout [UInt64]
  ) throws(CodingError) -> Bool {
    switch code {
    case SessionOpened.code: try SessionOpened.addKeys(from: &decoder, to: &keys)
    case TimerStarted.code: try TimerStarted.addKeys(from: &decoder, to: &keys)
    case TimerStopped.code: try TimerStopped.addKeys(from: &decoder, to: &keys)
    default:
      guard let kind = ChangeTable.kind(code) else { return false }
      try kind.addKeys(from: &decoder, to: &keys)
    }
    return true
  }
}

/// Decodes fields and adds their keys in one pass.
private struct KeyReader: FieldVisitor {
  typealias Failure = CodingError

  var decoder: FieldDecoder
  var keys: [UInt64] = []

  mutating func value<Form: FieldForm>(_ value: inout Form.Value, as form: Form.Type) throws(CodingError) {
    try decoder.value(&value, as: form)
    Form.addKeys(of: value, to: &keys)
  }

  mutating func later() { decoder.later() }
}

private struct KeyFinder: FieldVisitor {
  typealias Failure = Never

  var keys: [UInt64]

  mutating func value<Form: FieldForm>(_ value: inout Form.Value, as form: Form.Type) {
    Form.addKeys(of: value, to: &keys)
  }

  mutating func later() {}
}
