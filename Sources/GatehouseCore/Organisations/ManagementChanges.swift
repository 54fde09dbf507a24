/// A change of one management link of a user.
public protocol ManagementChange: PartitionChange {
  var user: UserID { get set }
  var link: ManagementLink { get set }

  /// A user's links after the change.
  func changed(_ links: [ManagementLink]) -> [ManagementLink]
}

extension ManagementChange {
  public init(_ user: UserID, _ link: ManagementLink) {
    self.init()
    self.user = user
    self.link = link
  }

  public var concern: Concern { .user(user) }

  public func apply(to person: inout PersonFacts) {
    if person.id == user { person.management = changed(person.management) }
  }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    let serial = state.partitioning.serial(of: user)
    state.people.setManagement(of: serial, changed(state.people.management(of: serial)), lsn)
  }
}

public struct ManagementAdded: ManagementChange {
  public static var code: UInt8 { 81 }
  public static var name: String { "management-added" }

  public var user = UserID.none
  public var link = ManagementLink(.account(0), in: 0)

  public init() {}

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&user, as: UserForm.self)
    try visitor.field("manages", &link, as: ManagementLinkForm.self)
  }

  public func changed(_ links: [ManagementLink]) -> [ManagementLink] { links + [link] }
}

public struct ManagementRemoved: ManagementChange {
  public static var code: UInt8 { 82 }
  public static var name: String { "management-removed" }

  public var user = UserID.none
  public var link = ManagementLink(.account(0), in: 0)

  public init() {}

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&user, as: UserForm.self)
    try visitor.removed("manages", &link, as: ManagementLinkForm.self)
  }

  public func changed(_ links: [ManagementLink]) -> [ManagementLink] { links.filter { $0 != link } }
}
