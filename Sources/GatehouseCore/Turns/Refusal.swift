/// A command that could not be carried out: the error's code and what to tell the client.
///
/// The message says what was wrong and, for a rule, what to do instead; it never holds a secret or
/// another tenant's data.
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
    case limit = "LIMIT"
    case noProtocol = "NOPROTO"
    case transactionAborted = "EXECABORT"

    /// What a client should take the code for, in the words of the reference.
    public var meaning: String {
      switch self {
      case .syntax: "the command is not written as it must be; nothing was looked at"
      case .noAuthentication: "the connection has not said which service it is"
      case .wrongPassword: "the service's name or secret is wrong"
      case .noPermission: "who asks may not do this; the text says what is missing"
      case .notFound: "what the command is about is not there"
      case .conflict: "something else stands in the way, such as a name that is taken"
      case .refused: "a rule says no: `REFUSED rule: why; what to do instead`"
      case .noSeats: "all seats that were bought are taken"
      case .stale: "`IFVERSION` names another version than there is; read again, then decide again"
      case .busy: "more waits than the server takes on; ask again later"
      case .loading: "the server is starting or stopping; ask again later"
      case .readOnly: "changes cannot be made durable; reading goes on"
      case .limit: "one of the limits below is reached"
      case .noProtocol: "`HELLO` asks for a protocol version that is not spoken"
      case .transactionAborted: "a command of the transaction was refused before `EXEC`; nothing was done"
      }
    }
  }

  public let code: Code
  public let message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var text: String { "\(code.rawValue) \(message)" }

  public static func syntax(_ message: String) -> Refusal { Refusal(.syntax, message) }
  public static func notFound(_ what: String) -> Refusal { Refusal(.notFound, what) }
  public static func conflict(_ what: String) -> Refusal { Refusal(.conflict, what) }
  public static func noPermission(_ missing: String) -> Refusal { Refusal(.noPermission, missing) }
  public static func limit(_ which: String) -> Refusal { Refusal(.limit, which) }

  /// A rule says no.
  public static func rule(_ rule: String, _ why: String, instead: String) -> Refusal {
    Refusal(.refused, "\(rule): \(why); \(instead)")
  }
}

/// Why a decision stopped before its end.
public enum Halt: Error {
  case refused(Refusal)
  /// A bound would not hold after a command that is only tried.
  case bound(CounterViolation)
  /// The decision touches owners that are not held. Nothing has happened: hold them too and decide again.
  case needs(OwnerSet)
  /// The decision needs what comes of work that it must not do itself. Nothing has happened: do it and decide again.
  case work(any Work)
}

/// Partitions and the directory, as the set that a command must hold.
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
    let place = partitions.firstIndex { $0 >= partition } ?? partitions.count
    if place == partitions.count || partitions[place] != partition { partitions.insert(partition, at: place) }
  }

  public func union(_ other: OwnerSet) -> OwnerSet {
    var result = self
    for partition in other.partitions { result.insert(partition) }
    result.directory = directory || other.directory
    return result
  }

  public func contains(_ partition: Int) -> Bool { partitions.contains(partition) }
}
