/// One durable fact. Changes are the only thing that mutates state, live and at replay alike.
///
/// A change says what is new and, where somebody may ask for it later, what was there before, so that the
/// log is the audit trail. When, who and why stand once, in the header of the record it is part of.
public enum Change: Sendable, Equatable {
  // People
  case contactCreated(ContactID, fields: [ContactText])
  case contactSet(ContactID, ContactField, old: String, new: String)
  case userCreated(UserCreated)
  case userSet(UserID, UserField, old: String, new: String)
  case userRenamed(UserID, old: String, new: String)
  case statusSet(UserID, old: Status, new: Status)
  case accessSet(UserID, old: ProductAccess?, new: ProductAccess?)
  case roleGranted(UserID, Grant)
  case roleRevoked(UserID, Grant)
  case workspaceJoined(UserID, WorkspaceID)
  case workspaceLeft(UserID, WorkspaceID)
  /// What the audit trail says of a user and no state holds.
  case noted(UserID, Note)
  case mailQueued(Mail)

  // Sessions
  case sessionOpened(SessionOpened)
  case sessionEnded(SessionID, UserID, SessionEnd, actorSession: SessionID?)
  case sessionSeen(SessionID, UserID, Milliseconds)

  // Time
  case timerStarted(TimerStarted)
  /// The running timer becomes the entry `entry`, ending at `end`.
  case timerStopped(UserID, WorkspaceID, entry: EntryID, end: Milliseconds)
  case entryAdded(EntryID, UserID, WorkspaceID, EntryContent)
  case entryCorrected(EntryID, UserID, old: EntryContent, new: EntryContent)
  case entryDeleted(EntryID, UserID)

  // Organisation
  case workspaceCreated(WorkspaceID, name: String, plan: String)
  /// `key` is `plan`, `owner`, `subdomain` or `policy.NAME`.
  case workspaceSet(WorkspaceID, key: String, old: String, new: String)
  case productCreated(ProductID, WorkspaceID, name: String)
  case poolSet(ProductID, type: String, old: UInt32?, new: UInt32)
  case serviceCreated(ServiceID, name: String, ServiceRights, secret: Digest)
  case serviceDeleted(ServiceID)

  /// The answer given under an `IDEM` key.
  case answerKept(KeptAnswer)

  // The data folder: nobody's state, and yet part of the trail.
  /// A snapshot holds everything through the record `lsn`.
  case snapshotTaken(LSN)
  /// The log's records from `first` to `last` are in an archive. Its hash stands here so that the chain of the
  /// log covers what the archive says.
  case logArchived(first: LSN, last: LSN, hash: String)
  /// An operator has said that the machine's clock is right and the newest record's time, `old`, was not: the one place
  /// where times go back. What was to end by the old time ends with it: all sessions, and answers kept for `IDEM`.
  case clockSet(old: Milliseconds, new: Milliseconds)
}

public enum Note: Sendable, Equatable {
  /// S6, S10: whoever added or removed the user accepted what that does to the bill of the workspace.
  case billingAccepted(WorkspaceID)
  /// T8: the products that saw a change of shared data, for it takes effect in all of them.
  case productsTouched([ProductID])
}

public struct ContactText: Sendable, Equatable {
  public let field: ContactField
  public let text: String

  public init(_ field: ContactField, _ text: String) {
    self.field = field
    self.text = text
  }
}

public struct UserCreated: Sendable, Equatable {
  public let user: UserID
  public let contact: ContactID
  public let username: String
  public let status: Status
  public let workspaces: [WorkspaceID]
  public let fields: [UserText]

  public init(
    user: UserID, contact: ContactID, username: String, status: Status, workspaces: [WorkspaceID], fields: [UserText]
  ) {
    self.user = user
    self.contact = contact
    self.username = username
    self.status = status
    self.workspaces = workspaces
    self.fields = fields
  }
}

public struct UserText: Sendable, Equatable {
  public let field: UserField
  public let text: String

  public init(_ field: UserField, _ text: String) {
    self.field = field
    self.text = text
  }
}

public struct SessionOpened: Sendable, Equatable {
  public let session: SessionID
  public let user: UserID
  public let token: Digest
  public let product: ProductID
  public let workspace: WorkspaceID
  public let expires: Milliseconds
  public let idleSeconds: UInt32
  /// Whether the session reaches its workspace only (K4).
  public let isBound: Bool
  public let impersonation: Impersonation?

  public init(
    session: SessionID, user: UserID, token: Digest, product: ProductID, workspace: WorkspaceID,
    expires: Milliseconds, idleSeconds: UInt32, isBound: Bool = false, impersonation: Impersonation? = nil
  ) {
    self.session = session
    self.user = user
    self.token = token
    self.product = product
    self.workspace = workspace
    self.expires = expires
    self.idleSeconds = idleSeconds
    self.isBound = isBound
    self.impersonation = impersonation
  }
}

public struct TimerStarted: Sendable, Equatable {
  public let user: UserID
  public let workspace: WorkspaceID
  public let start: Milliseconds
  public let project: String
  public let note: String

  public init(user: UserID, workspace: WorkspaceID, start: Milliseconds, project: String, note: String) {
    self.user = user
    self.workspace = workspace
    self.start = start
    self.project = project
    self.note = note
  }
}

/// A message that waits to be sent. Who sends it is not Gatehouse's business; that it is not lost is.
public struct Mail: Sendable, Equatable {
  public enum Kind: UInt8, Sendable, CaseIterable {
    case invitation = 1
    /// P8: the username was changed.
    case usernameChanged
    /// K8, where the policy asks for it.
    case timerStopped

    public var name: String {
      switch self {
      case .invitation: "invitation"
      case .usernameChanged: "username-changed"
      case .timerStopped: "timer-stopped"
      }
    }
  }

  public let id: MailID
  public let user: UserID
  public let kind: Kind
  public let recipient: String
  public let message: String

  public init(id: MailID, user: UserID, kind: Kind, recipient: String, message: String) {
    self.id = id
    self.user = user
    self.kind = kind
    self.recipient = recipient
    self.message = message
  }
}

/// An answer kept under an idempotency key: the key and the arguments as digests, the reply as given,
/// without the texts that are shown once.
public struct KeptAnswer: Sendable, Equatable {
  /// The partition that keeps it, from the key's hash.
  public let partition: Int
  public let key: Digest
  public let arguments: Digest
  public let reply: Reply

  public init(partition: Int, key: Digest, arguments: Digest, reply: Reply) {
    self.partition = partition
    self.key = key
    self.arguments = arguments
    self.reply = reply
  }
}

extension Change {
  /// Calls `partition` with each partition that the change mutates, and `directory` if it mutates the directory.
  /// What moves the gate's counters says `movesCounters`.
  public func forEachOwner(
    _ partitioning: Partitioning, partition: (Int) -> Void, directory: () -> Void
  ) {
    switch self {
    case .contactCreated(let id, _), .contactSet(let id, _, _, _):
      partition(partitioning.partition(of: id))
    case .userCreated(let created):
      let home = partitioning.partition(of: created.user)
      let named = NameKey(created.username, partitioning).partition
      partition(home)
      if named != home { partition(named) }
    case .userRenamed(let id, let old, let new):
      let home = partitioning.partition(of: id)
      let before = NameKey(old, partitioning).partition
      let after = NameKey(new, partitioning).partition
      partition(home)
      if before != home { partition(before) }
      if after != home, after != before { partition(after) }
    case .userSet(let id, _, _, _), .workspaceJoined(let id, _), .workspaceLeft(let id, _), .noted(let id, _),
      .timerStopped(let id, _, _, _), .statusSet(let id, _, _), .accessSet(let id, _, _), .roleGranted(let id, _),
      .roleRevoked(let id, _):
      partition(partitioning.partition(of: id))
    case .mailQueued(let mail): partition(partitioning.partition(of: mail.id))
    case .sessionOpened(let opened):
      let home = partitioning.partition(of: opened.session)
      partition(home)
      if let actorSession = opened.impersonation?.actorSession {
        let actor = partitioning.partition(of: actorSession)
        if actor != home { partition(actor) }
      }
    case .sessionEnded(let id, _, _, let actorSession):
      let home = partitioning.partition(of: id)
      partition(home)
      if let actorSession {
        let actor = partitioning.partition(of: actorSession)
        if actor != home { partition(actor) }
      }
    case .sessionSeen(let id, _, _): partition(partitioning.partition(of: id))
    case .timerStarted(let started): partition(partitioning.partition(of: started.user))
    case .entryAdded(let id, _, _, _): partition(partitioning.partition(of: id))
    case .entryCorrected(let id, _, _, _): partition(partitioning.partition(of: id))
    case .entryDeleted(let id, _): partition(partitioning.partition(of: id))
    case .answerKept(let answer): partition(answer.partition)
    case .workspaceCreated, .workspaceSet, .productCreated, .poolSet, .serviceCreated, .serviceDeleted: directory()
    case .snapshotTaken, .logArchived: break
    case .clockSet: for index in 0..<partitioning.count { partition(index) }
    }
  }

  /// The user a change is about, for the audit trail and the archive's index.
  public var user: UserID? {
    switch self {
    case .userCreated(let created): created.user
    case .userSet(let id, _, _, _), .userRenamed(let id, _, _), .statusSet(let id, _, _), .accessSet(let id, _, _),
      .roleGranted(let id, _), .roleRevoked(let id, _), .workspaceJoined(let id, _), .workspaceLeft(let id, _),
      .noted(let id, _), .timerStopped(let id, _, _, _), .entryAdded(_, let id, _, _), .sessionEnded(_, let id, _, _),
      .sessionSeen(_, let id, _), .entryCorrected(_, let id, _, _), .entryDeleted(_, let id):
      id
    case .mailQueued(let mail): mail.user
    case .sessionOpened(let opened): opened.user
    case .timerStarted(let started): started.user
    case .contactCreated, .contactSet, .snapshotTaken, .logArchived, .workspaceCreated, .workspaceSet, .productCreated,
      .poolSet, .serviceCreated, .serviceDeleted, .answerKept, .clockSet:
      nil
    }
  }
}
