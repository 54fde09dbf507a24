/// Something that decisions read, and whose past the log can tell (B1).
///
/// A change says what was there before. So what a fact was at a moment stands in the first change of it after that
/// moment; if there is none, it is what the state says now. That works the same for a person and for the directory, and
/// costs one look-up by key, however often the fact changed and however long the log is.
public enum Fact: Hashable, Sendable {
  case status(UserID)
  case access(UserID, ProductID)
  /// The time limits of a membership.
  case membership(UserID, WorkspaceID)
  case username(UserID)
  /// To whom a user leads since they were merged (L13).
  case successor(UserID)
  case field(ContactID, ContactField)
  /// Which licence types a product has.
  case pools(ProductID)
  case setting(WorkspaceID, String)
  /// Who has a username, in its folded form.
  case holder(String)
}

extension RecordKey {
  /// The records that change a fact. Facts may share a key, so a reader checks what the changes are about.
  public static func of(_ fact: Fact) -> UInt64 {
    let (subject, aspect, detail) = fact.parts
    return (subject << 12 | aspect << 8 | UInt64(detail)) << 4 | unplaced
  }
}

extension Fact {
  /// What the numbers of a key are made of: what the fact is about, which of its facts it is, and a byte that tells
  /// apart most of those that have the same two.
  fileprivate var parts: (subject: UInt64, aspect: UInt64, detail: UInt8) {
    switch self {
    case .status(let user): (user.raw, 1, 0)
    case .access(let user, let product): (user.raw, 2, UInt8(truncatingIfNeeded: product))
    case .membership(let user, let workspace): (user.raw, 3, UInt8(truncatingIfNeeded: workspace))
    case .username(let user): (user.raw, 4, 0)
    case .successor(let user): (user.raw, 5, 0)
    case .field(let contact, let field): (contact.raw, 6, field.rawValue)
    case .pools(let product): (UInt64(product), 7, 0)
    case .setting(let workspace, let key):
      (UInt64(workspace), 8, UInt8(truncatingIfNeeded: SharedIndex.hash(of: key)))
    case .holder(let name): (UInt64(SharedIndex.hash(of: name)), 9, 0)
    }
  }

  /// A key that every record has that changes the fact; nil if there is none.
  public var companion: UInt64? {
    switch self {
    case .status(let user), .access(let user, _), .membership(let user, _), .username(let user), .successor(let user):
      RecordKey.of(user)
    case .field(let contact, _): RecordKey.of(contact)
    case .pools(let product): RecordKey.of(.product, product)
    case .setting(let workspace, _): RecordKey.of(.workspace, workspace)
    case .holder: nil
    }
  }

  /// Bytes that every record has that changes the fact, so that most others need not be decoded; nil if there are none.
  public var mark: [UInt8]? {
    switch self {
    case .status(let user), .access(let user, _), .membership(let user, _), .username(let user), .successor(let user):
      Self.bytes { $0.id(user) }
    case .field(let contact, _): Self.bytes { $0.id(contact) }
    case .setting(_, let key): Array(key.utf8)
    // The number of a product is short and is in nearly every record; a name may be spelled in many ways.
    case .pools, .holder: nil
    }
  }

  private static func bytes(_ write: (inout ByteWriter) -> Void) -> [UInt8] {
    var writer = ByteWriter()
    write(&writer)
    return writer.withBytes { Array($0) }
  }
}
