/// Log sequence number: a record's number in the log's total order. The first record is 1; 0 means "before all".
public typealias LSN = UInt64

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
public typealias Milliseconds = Int64

/// The id of an entity in a partition: a serial number, with the partition in the low bits.
///
/// Ids are shown as decimal numbers. The id tells the partition without a look-up.
public struct Identifier<Entity>: Sendable, Hashable, BitwiseCopyable, Comparable {
  public let raw: UInt64

  public init(raw: UInt64) { self.raw = raw }

  /// The id of nothing: serial numbers start at 1.
  public static var none: Self { Self(raw: 0) }

  public static func < (a: Self, b: Self) -> Bool { a.raw < b.raw }
}

/// An id of whatever kind.
protocol EntityIdentifier: Sendable {
  static var none: Self { get }
  /// What tells the kinds apart.
  static var kind: ObjectIdentifier { get }
  var raw: UInt64 { get }
}

extension Identifier: EntityIdentifier {
  static var kind: ObjectIdentifier { ObjectIdentifier(Entity.self) }
}

public enum UserEntity {}
public enum ContactEntity {}
public enum SessionEntity {}
public enum EntryEntity {}
public enum MailEntity {}

public typealias UserID = Identifier<UserEntity>
public typealias ContactID = Identifier<ContactEntity>
public typealias SessionID = Identifier<SessionEntity>
public typealias EntryID = Identifier<EntryEntity>
public typealias MailID = Identifier<MailEntity>

/// The number of a workspace, product or service in the directory: dense, from 1.
public typealias WorkspaceID = UInt32
public typealias ProductID = UInt32
public typealias ServiceID = UInt32

/// The workspace that always exists, and is meant if none is named.
public let mainWorkspace: WorkspaceID = 1

/// How entities are spread over partitions: fixed when the data folder is created.
public struct Partitioning: Sendable, Equatable {
  /// Partition count = 1 << bits.
  public let bits: UInt8
  /// The key of the hash of usernames, private to a folder so that nobody can aim names at one partition.
  public let key: HashKey

  /// - Parameter count: a power of two from 1 to 4096.
  public init(count: Int, key: HashKey) {
    precondition(count >= 1 && count <= 4096 && count.nonzeroBitCount == 1)
    self.bits = UInt8(count.trailingZeroBitCount)
    self.key = key
  }

  public var count: Int { 1 << Int(bits) }

  public func partition<Entity>(of id: Identifier<Entity>) -> Int {
    Int(truncatingIfNeeded: id.raw & ((1 << UInt64(bits)) - 1))
  }

  public func serial<Entity>(of id: Identifier<Entity>) -> Int {
    Int(truncatingIfNeeded: id.raw >> UInt64(bits))
  }

  public func id<Entity>(serial: Int, partition: Int) -> Identifier<Entity> {
    Identifier(raw: UInt64(serial) << UInt64(bits) | UInt64(partition))
  }

  /// The partition of a folded username, by its hash.
  public func partition(ofHash hash: UInt64) -> Int {
    Int(truncatingIfNeeded: hash >> 32) & (count - 1)
  }
}
