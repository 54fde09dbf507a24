/// A call to etcd that failed.
struct EtcdError: Error, Equatable {
  enum Kind: Sendable, Equatable {
    /// There was no answer, or one that says that there is no majority. Whether a change was made is not known. Trying
    /// again may help.
    case unreachable
    /// etcd has too much to do; nothing was changed. Trying again helps.
    case busy
    /// etcd's space is used up (its alarm `NOSPACE`); nothing was changed.
    case noSpace
    /// The token is not valid any more, or the user or password is wrong.
    case unauthenticated
    /// The changes that are wanted were compacted.
    case compacted
    /// There is no such lease any more.
    case leaseGone
    /// What etcd says contradicts what it said before: it was set back to an older copy, or is another cluster.
    case inconsistent
    /// Anything else; nothing was changed, and trying again does not help.
    case refused
  }

  var kind: Kind
  /// The member that was asked, as host and port.
  var endpoint: String
  /// etcd's words, and what to do.
  var message: String

  /// Whether the same call may succeed at another member, or later.
  var mayPass: Bool { kind == .unreachable || kind == .busy }
}

extension EtcdError: CustomStringConvertible {
  var description: String { "etcd at \(endpoint): \(message)" }
}

extension EtcdError {
  /// What an error that etcd or gRPC reports means.
  ///
  /// - Parameters:
  ///   - code: gRPC's status code.
  ///   - message: etcd's text, which alone tells some errors apart.
  init(code: Int, message: String, endpoint: String) {
    self.endpoint = endpoint
    self.message = message
    switch code {
    // RESOURCE_EXHAUSTED
    case 8 where message.contains("database space exceeded"):
      kind = .noSpace
      self.message += """
        ; the nodes delete and compact what they need no more by themselves: give the space back with 'etcdctl defrag' on \
        each member (or raise --quota-backend-bytes), then take back the alarm with 'etcdctl alarm disarm'
        """
    case 8 where message.contains("too many requests"): kind = .busy
    case 8:
      kind = .refused
      self.message += "; raise etcd's --max-request-bytes to at least 1.5 MiB"
    // UNAUTHENTICATED
    case 16:
      kind = .unauthenticated
      self.message += "; check the user and the password"
    // INVALID_ARGUMENT
    case 3 where message.contains("invalid auth token") || message.contains("revision of auth store is old"):
      kind = .unauthenticated
    case 3 where message.contains("authentication failed"):
      kind = .refused
      self.message += "; check the user and the password"
    case 3 where message.contains("user name is empty"):
      kind = .refused
      self.message += "; this etcd wants a user: set one with its password, or use a client certificate"
    case 3 where message.contains("too many operations"):
      kind = .refused
      self.message += "; set etcd's --max-txn-ops to at least 128, its default"
    // PERMISSION_DENIED
    case 7:
      kind = .refused
      self.message += "; give the user's role read and write access to all keys that begin with /gatehouse/"
    // NOT_FOUND
    case 5 where message.contains("lease not found"): kind = .leaseGone
    // OUT_OF_RANGE
    case 11 where message.contains("compacted"): kind = .compacted
    case 3, 5, 6, 9, 11: kind = .refused
    // UNIMPLEMENTED
    case 12:
      kind = .refused
      self.message += "; etcd 3.4 or newer is needed"
    // CANCELLED, UNKNOWN, DEADLINE_EXCEEDED, ABORTED, INTERNAL, UNAVAILABLE, DATA_LOSS
    default: kind = .unreachable
    }
  }
}
