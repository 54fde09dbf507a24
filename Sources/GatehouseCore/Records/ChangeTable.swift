/// The one list of all kinds of changes.
public enum ChangeTable {
  public static let kinds: [any Change.Type] = [
    // People
    ContactCreated.self, ContactSet.self, ContactDeleted.self, CustomFieldSet.self, ContactAnonymised.self,
    UserPurged.self, ContactsMerged.self, ContactsParted.self, UserCreated.self,
    UserSet.self, UserRenamed.self, UsernameRegained.self, StatusSet.self, ProvisionedSet.self, Noted.self,
    // Access
    AccessSet.self, RoleGranted.self, RoleRevoked.self, WorkspaceJoined.self, WorkspaceLeft.self, HomeSet.self,
    MembershipLimited.self, ProductCreated.self, PoolSet.self, RoleDefined.self, RoleLabelled.self,
    RoleDropped.self, RoleNarrowed.self,
    // Organisations
    AccountCreated.self, AccountSet.self, AccountDeleted.self, GroupCreated.self, GroupRenamed.self, GroupDeleted.self,
    GroupExternalSet.self,
    AccountJoinedGroup.self, AccountLeftGroup.self, EmploymentSet.self, ManagementAdded.self, ManagementRemoved.self,
    // Sessions
    SessionOpened.self, SessionEnded.self, SessionSeen.self, SessionOriginTold.self,
    SessionRestricted.self,
    // Credentials
    PasswordSet.self, LoginFailed.self, LoginCleared.self, StrangerFailed.self, ResetAsked.self,
    MailedSecretEnded.self, ResetUnanswered.self,
    // Second factors
    SecondFactorBegun.self, SecondFactorConfirmed.self, SecondFactorUsed.self, SecondFactorDisabled.self,
    ChallengeIssued.self, ChallengeAnswered.self, ChallengeEnded.self,
    // API keys
    APIKeyCreated.self, APIKeyLimited.self, APIKeyEnded.self, APIKeyUsed.self,
    // Time
    TimerStarted.self, TimerStopped.self, EntryAdded.self, EntryCorrected.self, EntryDeleted.self,
    // Links
    LinkAdded.self, LinkSet.self, LinkRemoved.self,
    // Approvals
    ApprovalRequested.self, ApprovalDecided.self,
    // Workspaces
    WorkspaceCreated.self, WorkspaceSet.self, FieldDefined.self, FieldDropped.self,
    ServiceCreated.self, ServiceBound.self, ServiceBoundToProducts.self, ServiceDeleted.self, ServiceRotated.self,
    ServiceRightsSet.self, ServiceCertificateSet.self, ServiceLimited.self,
    // Others
    MailQueued.self, MailLeased.self, MailRemoved.self, MailFailed.self, MailReturned.self, MailRevived.self,
    MailTemplateSet.self,
    WebhookCreated.self, WebhookSet.self, WebhookRotated.self, WebhookPaused.self, WebhookRetried.self,
    WebhookDeleted.self, WebhookProgressed.self,
    SeatsLow.self, AnswerKept.self, AnswerCleared.self, KeysDestroyed.self, SnapshotTaken.self, LogArchived.self,
    ArchiveDeleted.self,
    EncryptionChanged.self, ClockSet.self,
  ]

  private static let byCode: [(any Change.Type)?] = {
    var table: [(any Change.Type)?] = Array(repeating: nil, count: 256)
    for kind in kinds {
      precondition(kind.code != SealedChange.code, "a kind of changes has the code of their sealed form")
      precondition(table[Int(kind.code)] == nil, "two kinds of changes have the code \(kind.code)")
      table[Int(kind.code)] = kind
    }
    return table
  }()

  /// The kind with this code; nil if this program does not know it.
  static func kind(_ code: UInt8) -> (any Change.Type)? { byCode[Int(code)] }
}
