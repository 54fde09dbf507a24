public struct ServiceCreated: DirectoryChange {
  public static var code: UInt8 { 44 }
  public static var name: String { "service-created" }

  public var service: ServiceID = 0
  public var name = ""
  public var rights: ServiceRights = []
  public var secret = Digest.zero

  public init() {}

  public init(_ service: ServiceID, name: String, _ rights: ServiceRights, secret: Digest) {
    self.service = service
    self.name = name
    self.rights = rights
    self.secret = secret
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&service, as: ServiceForm.self)
    try visitor.given(&name)
    try visitor.field("rights", &rights, as: RightsForm.self)
    try visitor.secret(&secret, as: DigestForm.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to directory: inout DirectoryTables, lsn: LSN, time: Milliseconds) {
    directory.services.add(ServiceIdentity(id: service, name: name, created: time, secret: secret, rights: rights))
  }
}

/// A service is bound to workspaces: outside of them it sees and does nothing (W6).
public struct ServiceBound: DirectoryChange {
  public static var code: UInt8 { 46 }
  public static var name: String { "service-bound" }

  public var service: ServiceID = 0
  public var workspaces: [WorkspaceID] = []

  public init() {}

  public init(_ service: ServiceID, to workspaces: [WorkspaceID]) {
    self.service = service
    self.workspaces = workspaces
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&service, as: ServiceForm.self)
    try visitor.field("workspaces", &workspaces, as: ListForm<WorkspaceForm>.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to directory: inout DirectoryTables, lsn: LSN, time: Milliseconds) {
    directory.services.bind(service, to: workspaces)
  }
}

public struct ServiceDeleted: DirectoryChange {
  public static var code: UInt8 { 45 }
  public static var name: String { "service-deleted" }

  public var service: ServiceID = 0

  public init() {}

  public init(_ service: ServiceID) { self.service = service }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&service, as: ServiceForm.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to directory: inout DirectoryTables, lsn: LSN, time: Milliseconds) {
    directory.services.delete(service)
  }
}

enum RightsForm: FieldForm {
  static func write(_ value: ServiceRights, to writer: inout ByteWriter) { writer.byte(value.rawValue) }

  static func read(from reader: inout ByteReader) throws(CodingError) -> ServiceRights {
    ServiceRights(rawValue: try reader.byte())
  }

  static func text(_ value: ServiceRights, in directory: Directory?) -> String? { value.names.joined(separator: " ") }
}
