/// A command that was refused: the error code and the message for the client.
///
/// The message says what was wrong and, for a rule, what to do instead. It never contains a secret or another tenant's
/// data.
public struct Refusal: Error, Equatable, Sendable {
  public enum Code: String, Sendable, CaseIterable {
    case syntax = "ERR"
    case noAuthentication = "NOAUTH"
    case wrongPassword = "WRONGPASS"
    case noPermission = "NOPERM"
    case notFound = "NOTFOUND"
    case conflict = "CONFLICT"
    case refused = "REFUSED"
    case noSeats = "NOSEATS"
    case stale = "STALE"
    case busy = "BUSY"
    case loading = "LOADING"
    case readOnly = "READONLY"
    case masterDown = "MASTERDOWN"
    case limit = "LIMIT"
    case noProtocol = "NOPROTO"
    case transactionAborted = "EXECABORT"

    /// What the code means to a client, for the reference.
    public var meaning: String {
      switch self {
      case .syntax: "the syntax is wrong; the command did not run"
      case .noAuthentication: "the connection has not authenticated as a service"
      case .wrongPassword: "the service's name or secret is wrong"
      case .noPermission: "the caller may not do this; the message says what is missing"
      case .notFound: "what the command names does not exist"
      case .conflict: "the state is in conflict with the command, such as a name that is taken"
      case .refused: "a rule refuses: `REFUSED rule: why; what to do instead`"
      case .noSeats: "all seats that were bought are taken"
      case .stale:
        "`IFVERSION` is not the current version, or what was approved is no longer what was asked for; read again, then"
          + " decide again"
      case .busy: "too much is waiting; try again later"
      case .loading: "the server is starting or stopping; try again later"
      case .readOnly:
        "this node takes no changes: another one leads, as the message says, or changes cannot be made durable; reads "
          + "still work"
      case .masterDown: "this node has not heard of the leader for too long, or lacks the record asked for"
      case .limit: "one of the limits below is reached"
      case .noProtocol: "`HELLO` asks for an unsupported protocol version"
      case .transactionAborted: "a command of the transaction was refused before `EXEC`; nothing was done"
      }
    }
  }

  public let code: Code
  public let message: String
  /// The word, option or field of the command that it is about, as the command calls it, where one alone is at fault. Forms
  /// mark it; what clients are answered is the text alone.
  public let field: String?

  public init(_ code: Code, _ message: String, of field: String? = nil) {
    self.code = code
    self.message = message
    self.field = field
  }

  public var text: String { "\(code.rawValue) \(message)" }

  public static func syntax(_ message: String, of field: String? = nil) -> Refusal {
    Refusal(.syntax, message, of: field)
  }

  public static func notFound(_ what: String, of field: String? = nil) -> Refusal {
    Refusal(.notFound, what, of: field)
  }

  public static func conflict(_ what: String, of field: String? = nil) -> Refusal {
    Refusal(.conflict, what, of: field)
  }

  public static func noPermission(_ missing: String) -> Refusal { Refusal(.noPermission, missing) }
  public static func limit(_ which: String) -> Refusal { Refusal(.limit, which) }

  /// A rule refuses.
  public static func rule(_ rule: String, _ why: String, instead: String, of field: String? = nil) -> Refusal {
    Refusal(.refused, "\(rule): \(why); \(instead)", of: field)
  }
}

/// Why a decision stopped early.
public enum Halt: Error {
  case refused(Refusal)
  /// A bound would not hold after a dry run.
  case bound(CounterViolation)
  /// The decision needs owners that are not held. Nothing has happened: hold them too and decide again.
  case needs(OwnerSet)
  /// The decision needs the outcome of work that it must not do itself. Nothing has happened: do the work and decide
  /// again.
  case work(any Work)
}

/// The partitions, and perhaps the directory, that a command must hold.
public struct OwnerSet: Sendable, Equatable {
  /// In ascending order.
  public private(set) var partitions: [Int] = []
  public var directory = false

  public init() {}

  public init(partition: Int) { partitions = [partition] }

  public static func all(_ count: Int) -> OwnerSet {
    var set = OwnerSet()
    set.partitions = Array(0..<count)
    set.directory = true
    return set
  }

  public mutating func insert(_ partition: Int) {
    let index = partitions.firstIndex { $0 >= partition } ?? partitions.count
    if index == partitions.count || partitions[index] != partition { partitions.insert(partition, at: index) }
  }

  public func union(_ other: OwnerSet) -> OwnerSet {
    var result = self
    for partition in other.partitions { result.insert(partition) }
    result.directory = directory || other.directory
    return result
  }

  public func contains(_ partition: Int) -> Bool { partitions.contains(partition) }
}
