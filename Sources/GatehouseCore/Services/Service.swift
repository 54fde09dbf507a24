/// An application that sends commands.
public struct ServiceIdentity: Sendable {
  public internal(set) var id: ServiceID
  public internal(set) var name: String
  public internal(set) var created: Milliseconds
  public internal(set) var secret: Digest
  /// The secret before the last rotation, while it is still good.
  public internal(set) var oldSecret: OldSecret?
  /// The name in the client certificates that stand for it; nil if none do.
  public internal(set) var certificate: String?
  public internal(set) var limits = ServiceLimits.none
  public internal(set) var rights: ServiceRights
  /// The workspaces that it is bound to (W6), or those of the products; nil if it is not bound.
  public internal(set) var workspaces: [WorkspaceID]?
  /// The products that it is bound to: of its workspaces it sees these alone. nil if it is not bound, or to workspaces.
  public internal(set) var products: [ProductID]?
  public var isDeleted = false

  /// Whether it may manage the server; services bound to workspaces or products, and deleted ones, may not.
  public var administersServer: Bool { !isDeleted && rights.contains(.admin) && workspaces == nil }

  /// Names that stand for no service: `local` for connections from this machine while there is none, and `default` for
  /// clients that give a secret only.
  public static let localName = "local"
  public static let defaultName = "default"
  static let reservedNames: Set<String> = [localName, defaultName]

  /// A secret that a rotation has replaced, and until when it is accepted beside the new one.
  public struct OldSecret: Sendable, Equatable {
    public let secret: Digest
    public let until: Milliseconds
  }

  /// Whether a secret with this digest authenticates as the service.
  public func accepts(_ given: Digest, at now: Milliseconds) -> Bool {
    // Both are always compared, so that the time does not tell which of them it was.
    let isCurrent = secret.matches(given)
    let isOld = oldSecret.map { $0.secret.matches(given) && now < $0.until } ?? false
    return !isDeleted && (isCurrent || isOld)
  }

  public init(id: ServiceID, name: String, created: Milliseconds, secret: Digest, rights: ServiceRights) {
    self.id = id
    self.name = name
    self.created = created
    self.secret = secret
    self.rights = rights
  }
}

extension Refusal {
  /// A client certificate that stands for several services stands for none.
  public static func ambiguousCertificate(_ services: [ServiceIdentity]) -> Refusal {
    Refusal(
      .noAuthentication,
      "the certificate stands for more than one service: \(services.map(\.name).joined(separator: " and ")); show the"
        + " secret of one (AUTH, or Authorization: Bearer), or let SERVICE.SET … NOCERT decide")
  }
}

/// How much of the server a service may use; 0 means as much as the settings allow.
public struct ServiceLimits: Sendable, Hashable, BitwiseCopyable {
  /// Connections at once.
  public var connections: UInt32
  /// Commands and bytes of requests a second, of all its connections together.
  public var commands: UInt32
  public var bytes: UInt64

  public static let none = ServiceLimits(connections: 0, commands: 0, bytes: 0)

  public init(connections: UInt32, commands: UInt32, bytes: UInt64) {
    self.connections = connections
    self.commands = commands
    self.bytes = bytes
  }
}

/// What a service may do.
public struct ServiceRights: OptionSet, Sendable, Hashable, BitwiseCopyable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Read: login checks, sessions, lists.
  public static let read = ServiceRights(rawValue: 1)
  /// Open and end sessions and impersonations.
  public static let sessions = ServiceRights(rawValue: 2)
  /// Start and stop timers, write entries.
  public static let timers = ServiceRights(rawValue: 4)
  /// Everything else: people, organisation, the server.
  public static let admin = ServiceRights(rawValue: 8)
  /// Take mails and send them. Their texts hold secrets, and who sends them need not be an administrator.
  public static let mail = ServiceRights(rawValue: 16)
  public static let all: ServiceRights = [.read, .sessions, .timers, .admin, .mail]

  /// These, and what they include.
  public var effective: ServiceRights { contains(.admin) ? union(.mail) : self }

  public static let names: [(right: ServiceRights, name: String)] = [
    (.read, "READ"), (.sessions, "SESSIONS"), (.timers, "TIMERS"), (.admin, "ADMIN"), (.mail, "MAIL"),
  ]

  public var names: [String] { Self.names.filter { contains($0.right) }.map(\.name) }
}

extension ServiceIdentity: StoredValue {
  mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.value(&name, as: TextForm.self)
    try visitor.value(&created, as: TimeForm.self)
    try visitor.value(&secret, as: DigestForm.self)
    try visitor.value(&rights, as: RightsForm.self)
    try visitor.value(&isDeleted, as: FlagForm.self)
  }
}
