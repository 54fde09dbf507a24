/// A key is made for a user.
public struct APIKeyCreated: PartitionChange {
  public static var code: UInt8 { 110 }
  public static var name: String { "apikey-created" }

  public var key = APIKeyID.none
  public var user = UserID.none
  public var digest = Digest.zero
  public var label = ""
  public var expires: Milliseconds = 0
  /// The key that it is to replace.
  public var replaced: APIKeyID?
  /// A key of the user that ended long ago, and is forgotten to make room.
  public var forgotten: APIKeyID?

  public init() {}

  init(
    _ key: APIKeyID, of user: UserID, digest: Digest, label: String, expires: Milliseconds, replaced: APIKeyID? = nil,
    forgotten: APIKeyID? = nil
  ) {
    self.key = key
    self.user = user
    self.digest = digest
    self.label = label
    self.expires = expires
    self.replaced = replaced
    self.forgotten = forgotten
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&key, as: APIKeyForm.self)
    try visitor.field("user", &user, as: UserForm.self)
    try visitor.secret(&digest, as: DigestForm.self)
    try visitor.field("name", &label, as: FilledTextForm.self)
    try visitor.field("expires", &expires, as: FilledTimeForm.self)
    try visitor.field("replaces", &replaced, as: OptionalForm<APIKeyForm>.self)
    try visitor.field("forgets", &forgotten, as: OptionalForm<APIKeyForm>.self)
  }

  public var person: PersonSubject? { .user(user) }
  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    let owner = state.partitioning.serial(of: user)
    if let forgotten, let serial = state.serial(of: forgotten) { state.apiKeys.forget(serial, of: owner) }
    var row = APIKeyRow()
    row.digest = digest
    row.lsn = lsn
    row.created = header.time
    row.expires = expires
    row.user = UInt32(owner)
    state.apiKeys.add(row, at: state.partitioning.serial(of: key), name: label, maker: header.author)
  }
}

/// The time of a key is limited, because another replaces it.
public struct APIKeyLimited: PartitionChange {
  public static var code: UInt8 { 111 }
  public static var name: String { "apikey-limited" }

  public var key = APIKeyID.none
  public var user = UserID.none
  public var old: Milliseconds = 0
  public var new: Milliseconds = 0

  public init() {}

  init(_ key: APIKeyID, of user: UserID, old: Milliseconds, new: Milliseconds) {
    self.key = key
    self.user = user
    self.old = old
    self.new = new
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&key, as: APIKeyForm.self)
    try visitor.field("user", &user, as: UserForm.self)
    try visitor.change("expires", old: &old, new: &new, as: FilledTimeForm.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    state.updateKey(key, lsn) { _ in }
    state.apiKeys.limit(state.partitioning.serial(of: key), to: new)
  }
}

/// A key is deactivated, for good.
public struct APIKeyEnded: PartitionChange {
  public static var code: UInt8 { 112 }
  public static var name: String { "apikey-ended" }

  public var key = APIKeyID.none
  public var user = UserID.none
  public var cause = APIKeyEnd.deactivated

  public init() {}

  init(_ key: APIKeyID, of user: UserID, _ cause: APIKeyEnd) {
    self.key = key
    self.user = user
    self.cause = cause
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&key, as: APIKeyForm.self)
    try visitor.field("user", &user, as: UserForm.self)
    try visitor.field("cause", &cause, as: ChoiceForm<APIKeyEnd>.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    state.updateKey(key, lsn) { _ in }
    state.apiKeys.end(state.partitioning.serial(of: key), by: header.author, at: header.time)
  }
}

/// A key was used.
public struct APIKeyUsed: PartitionChange {
  public static var code: UInt8 { 113 }
  public static var name: String { "apikey-used" }

  public var key = APIKeyID.none
  public var user = UserID.none
  public var time: Milliseconds = 0

  public init() {}

  init(_ key: APIKeyID, of user: UserID, _ time: Milliseconds) {
    self.key = key
    self.user = user
    self.time = time
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&key, as: APIKeyForm.self)
    try visitor.field("user", &user, as: UserForm.self)
    try visitor.field("last-used", &time, as: TimeForm.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    state.updateKey(key, nil) {
      $0.lastUsed = max($0.lastUsed, time)
      // Do not take a later use from memory: replay would get another result.
      $0.loggedUse = max($0.loggedUse, time)
    }
  }
}

extension PartitionState {
  /// - Parameter lsn: nil where the change says nothing that a reply could show too early.
  fileprivate mutating func updateKey(_ id: APIKeyID, _ lsn: LSN?, _ change: (inout APIKeyRow) -> Void) {
    guard let serial = serial(of: id) else { preconditionFailure("API key \(id.raw) changes but does not exist") }
    apiKeys.rows.update(serial) {
      if let lsn { $0.lsn = lsn }
      change(&$0)
    }
  }
}
