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

/// A service is bound to products: of their workspaces it sees nothing else. An older program would bind it to the whole
/// workspaces if this were a field of `ServiceBound`; one that does not know a change refuses the folder.
public struct ServiceBoundToProducts: DirectoryChange {
  public static var code: UInt8 { 132 }
  public static var name: String { "service-bound-to-products" }

  public var service: ServiceID = 0
  public var products: [ProductID] = []

  public init() {}

  public init(_ service: ServiceID, _ products: [ProductID]) {
    self.service = service
    self.products = products
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&service, as: ServiceForm.self)
    try visitor.field("products", &products, as: ListForm<ProductForm>.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to directory: inout DirectoryTables, lsn: LSN, time: Milliseconds) {
    directory.bind(service, toProducts: products)
  }
}

public struct ServiceDeleted: DirectoryChange {
  public static var code: UInt8 { 45 }
  public static var name: String { "service-deleted" }

  public var service: ServiceID = 0
  /// nil in records of earlier versions.
  public var rights: ServiceRights?
  public var workspaces: [WorkspaceID] = []
  public var products: [ProductID] = []
  public var certificate = ""

  public init() {}

  public init(_ service: ServiceIdentity) {
    self.service = service.id
    rights = service.rights
    workspaces = service.workspaces ?? []
    products = service.products ?? []
    certificate = service.certificate ?? ""
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&service, as: ServiceForm.self)
    try visitor.later()
    try visitor.former("rights", &rights, as: OptionalForm<RightsForm>.self)
    try visitor.former("workspaces", &workspaces, as: FilledListForm<WorkspaceForm>.self)
    try visitor.former("products", &products, as: FilledListForm<ProductForm>.self)
    try visitor.former("certificate", &certificate, as: FilledTextForm.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to directory: inout DirectoryTables, lsn: LSN, time: Milliseconds) {
    directory.services.delete(service)
  }
}

/// A service's secret is replaced. The one before stays good for a while, or not at all.
public struct ServiceRotated: DirectoryChange {
  public static var code: UInt8 { 120 }
  public static var name: String { "service-rotated" }

  public var service: ServiceID = 0
  public var secret = Digest.zero
  /// Until when the secret before is accepted too; 0 if it is not.
  public var until: Milliseconds = 0

  public init() {}

  public init(_ service: ServiceID, secret: Digest, until: Milliseconds) {
    self.service = service
    self.secret = secret
    self.until = until
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&service, as: ServiceForm.self)
    try visitor.secret(&secret, as: DigestForm.self)
    try visitor.field("old-until", &until, as: FilledTimeForm.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to directory: inout DirectoryTables, lsn: LSN, time: Milliseconds) {
    directory.services.rotate(service, to: secret, oldUntil: until)
  }
}

/// What a service may do changes.
public struct ServiceRightsSet: DirectoryChange {
  public static var code: UInt8 { 121 }
  public static var name: String { "service-rights-set" }

  public var service: ServiceID = 0
  public var old: ServiceRights = []
  public var new: ServiceRights = []

  public init() {}

  public init(_ service: ServiceID, old: ServiceRights, new: ServiceRights) {
    self.service = service
    self.old = old
    self.new = new
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&service, as: ServiceForm.self)
    try visitor.change("rights", old: &old, new: &new, as: RightsForm.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to directory: inout DirectoryTables, lsn: LSN, time: Milliseconds) {
    directory.services.change(service) { $0.rights = new }
  }
}

/// The name in the client certificates that stand for a service changes; an empty one means that none do.
public struct ServiceCertificateSet: DirectoryChange {
  public static var code: UInt8 { 122 }
  public static var name: String { "service-certificate-set" }

  public var service: ServiceID = 0
  public var old = ""
  public var new = ""

  public init() {}

  public init(_ service: ServiceID, old: String, new: String) {
    self.service = service
    self.old = old
    self.new = new
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&service, as: ServiceForm.self)
    try visitor.change("certificate", old: &old, new: &new, as: TextForm.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to directory: inout DirectoryTables, lsn: LSN, time: Milliseconds) {
    directory.services.change(service) { $0.certificate = new.isEmpty ? nil : new }
  }
}

/// How much of the server a service may use changes.
public struct ServiceLimited: DirectoryChange {
  public static var code: UInt8 { 123 }
  public static var name: String { "service-limited" }

  public var service: ServiceID = 0
  public var old = ServiceLimits.none
  public var new = ServiceLimits.none

  public init() {}

  public init(_ service: ServiceID, old: ServiceLimits, new: ServiceLimits) {
    self.service = service
    self.old = old
    self.new = new
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&service, as: ServiceForm.self)
    try visitor.change("limits", old: &old, new: &new, as: ServiceLimitsForm.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to directory: inout DirectoryTables, lsn: LSN, time: Milliseconds) {
    directory.services.change(service) { $0.limits = new }
  }
}

enum ServiceLimitsForm: FieldForm {
  static func write(_ value: ServiceLimits, to writer: inout ByteWriter) {
    writer.varint(value.connections)
    writer.varint(value.commands)
    writer.varint(value.bytes)
  }

  static func read(from reader: inout ByteReader) throws(CodingError) -> ServiceLimits {
    ServiceLimits(connections: try reader.number(), commands: try reader.number(), bytes: try reader.number())
  }

  static func text(_ value: ServiceLimits, in directory: Directory?) -> String? {
    let parts = [
      (value.connections > 0, "\(value.connections) connections"),
      (value.commands > 0, "\(value.commands) commands a second"), (value.bytes > 0, "\(value.bytes) bytes a second"),
    ]
    let shown = parts.filter(\.0).map(\.1)
    return shown.isEmpty ? "none" : shown.joined(separator: ", ")
  }
}

enum RightsForm: FieldForm {
  static func write(_ value: ServiceRights, to writer: inout ByteWriter) { writer.byte(value.rawValue) }

  static func read(from reader: inout ByteReader) throws(CodingError) -> ServiceRights {
    ServiceRights(rawValue: try reader.byte())
  }

  static func text(_ value: ServiceRights, in directory: Directory?) -> String? { value.names.joined(separator: " ") }
}
