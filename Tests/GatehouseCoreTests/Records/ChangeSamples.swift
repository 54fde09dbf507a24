@testable import GatehouseCore

/// At least one change of each kind, named like its line in `Golden/changes.txt`.
enum ChangeSamples {
  static let user = UserID(raw: 771)
  private static let contact = ContactID(raw: 387)
  private static let session = SessionID(raw: 8_589_934_595)
  private static let actorSession = SessionID(raw: 642)
  private static let entry = EntryID(raw: 1027)
  private static let token = Digest(
    0x0102_0304_0506_0708, 0x1112_1314_1516_1718, 0x2122_2324_2526_2728, 0x3132_3334_3536_3738)
  static let time: Milliseconds = 1_772_355_600_000

  static let all: [(name: String, change: any Change)] =
    people + access + sessions + secondFactors + apiKeys + times + directory + webhooks + others + organisations

  private static var field: FieldDefinition {
    var field = FieldDefinition(id: 7, workspace: 300, name: "colour", kind: .choice)
    field.choices = ["Red", "Blue"]
    field.isMandatory = true
    return field
  }

  /// What records of earlier versions say of something that is gone.
  private static func bare<Kind: Change>(_ kind: Kind.Type, _ fill: (inout Kind) -> Void) -> any Change {
    var change = Kind()
    fill(&change)
    return change
  }

  private static let goneContact: any Change = bare(ContactDeleted.self) { $0.contact = contact }
  private static let goneRole: any Change = bare(RoleDropped.self) { ($0.role, $0.workspace) = (Role(number: 16), 2) }
  private static let goneField: any Change = bare(FieldDropped.self) { ($0.field, $0.workspace) = (7, 300) }
  private static let goneAccount: any Change = bare(AccountDeleted.self) { ($0.account, $0.workspace) = (5, 300) }
  private static let goneGroup: any Change = bare(GroupDeleted.self) { ($0.group, $0.workspace) = (7, 300) }
  private static let goneEntry: any Change = bare(EntryDeleted.self) { ($0.entry, $0.user) = (entry, user) }
  private static let goneService: any Change = bare(ServiceDeleted.self) { $0.service = 1 }
  private static let goneWebhook: any Change = bare(WebhookDeleted.self) {
    ($0.workspace, $0.webhook, $0.name) = (2, 1, "crm")
  }

  private static func merge(_ change: some MergeChange) -> any Change {
    var change = change
    (change.keep, change.drop) = (contact, ContactID(raw: 1026))
    (change.keepUser, change.dropUser) = (user, UserID(raw: 1030))
    return change
  }

  private static var link: LinkAdded {
    var link = LinkAdded(LinkID(raw: 515), contact, 300, .delegate, "C-101")
    link.content.status = "booked"
    link.content.set("seat", "4")
    return link
  }

  private static var linkSet: LinkSet {
    var change = LinkSet()
    (change.link, change.contact, change.workspace) = (link.link, contact, 300)
    change.old = link.content
    change.new.status = "attended"
    return change
  }

  private static var linkRemoved: LinkRemoved {
    var change = LinkRemoved()
    (change.link, change.contact, change.workspace) = (link.link, contact, 300)
    (change.kind, change.reference, change.content) = (.invoice, "I-9", link.content)
    return change
  }

  private static var request: ApprovalRequest {
    var request = ApprovalRequest()
    request.id = ApprovalID(raw: 515)
    (request.subject, request.actor) = (user, UserID(raw: 1030))
    (request.permission, request.workspace) = ("user.delete", 300)
    (request.requested, request.reason) = (time, "left")
    request.words = ["USER.DELETE", "ana", "REASON", "left"]
    (request.changes, request.users, request.contacts) = ([7, 1 << 63], [user], [contact])
    request.isAboutNew = true
    return request
  }

  private static var foreignRequest: ApprovalRequest {
    var request = request
    request.places = [2, 301]
    return request
  }

  private static let people: [(name: String, change: any Change)] = [
    (
      "contact-created",
      ContactCreated(contact, fields: [ContactText(.first, "Ana"), ContactText(.hired, "2026-03-01")])
    ),
    ("contact-created/workspace", ContactCreated(contact, fields: [], workspace: 300)),
    ("contact-set", ContactSet(contact, .email, old: "", new: "a@b.test")),
    ("contact-deleted", goneContact),
    (
      "contact-deleted/kept",
      ContactDeleted(
        contact, fields: [ContactText(.first, "Ana"), ContactText(.email, "ana@acme.test")], workspace: 300)
    ),
    (
      "password-set",
      PasswordSet(user, hash: "$argon2id$v=19$m=8,t=1,p=1$c2FsdA$aGFzaA", isTemporary: true, .generated)
    ),
    ("login-failed", LoginFailed(user, failures: 5, waitsUntil: time + 30_000)),
    ("login-cleared", LoginCleared(user, failures: 5)),
    ("stranger-failed", StrangerFailed(3, token, failures: 6, waitsUntil: time + 60_000)),
    ("reset-asked", ResetAsked(user, token: token, ends: time + 1_200_000)),
    ("mailed-secret-ended", MailedSecretEnded(user, endsReset: true, endsPassword: true)),
    ("reset-unanswered", ResetUnanswered(user)),
    ("reset-unanswered/nobody", ResetUnanswered(nil)),
    ("field-set", CustomFieldSet(contact, field, old: "Red", new: "Blue")),
    ("contact-anonymised", ContactAnonymised(contact)),
    ("user-purged", UserPurged(user, username: "ana", contact: contact)),
    ("contacts-merged", merge(ContactsMerged())),
    ("contacts-parted", merge(ContactsParted())),
    ("noted/undo", Noted(user, .tookBack(700))),
    (
      "user-created",
      UserCreated(
        user: user, contact: contact, username: "ana", status: .new, workspaces: [1, 300],
        fields: [UserText(.initials, "AL"), UserText(.authority, "1")])
    ),
    ("user-set", UserSet(user, .restrictBookings, old: "0", new: "1")),
    ("provisioned-set", ProvisionedSet(user, 300, "externalId", old: "00u1", new: "00u2")),
    ("user-renamed", UserRenamed(user, old: "ana", new: "ana.lima")),
    ("username-regained", UsernameRegained(user, username: "ana.lima")),
    ("status-set", StatusSet(user, old: .active, new: .locked)),
    ("noted", Noted(user, .billingAccepted(300))),
    ("noted/products", Noted(user, .productsTouched([1, 3]))),
  ]

  private static let access: [(name: String, change: any Change)] = [
    (
      "access-set",
      AccessSet(user, old: nil, new: ProductAccess(product: 3, isEnabled: true, isAdministrator: true, licence: 2))
    ),
    ("role-granted", RoleGranted(user, Grant(role: .manager, scope: .product(3), isMain: true))),
    ("role-revoked", RoleRevoked(user, Grant(role: .trainingAdministrator, scope: .workspace(300), isMain: false))),
    (
      "role-granted/limited",
      RoleGranted(
        user,
        Grant(role: .manager, scope: .everywhere, isMain: false, limits: TimeLimits(from: time, until: time + 1000)))
    ),
    (
      "role-defined",
      RoleDefined(
        Role(number: 16), workspace: 2, name: "clerk", old: PermissionSet(),
        new: PermissionSet([.userRead, .userStatus]))
    ),
    (
      "role-labelled",
      RoleLabelled(
        Role(number: 16), workspace: 2, old: RoleLabel(title: "Sales", externalID: "g1"),
        new: RoleLabel(title: "Sales EU", externalID: "g2"))
    ),
    ("role-dropped", goneRole),
    ("role-dropped/kept", RoleDropped(clerk)),
    (
      "role-narrowed",
      RoleNarrowed(
        user, Grant(role: Role(number: 16), scope: .workspace(300), isMain: true),
        old: PermissionSet([.userRead, .userStatus]), new: PermissionSet([.userRead]))
    ),
    (
      "access-set/limited",
      AccessSet(
        user, old: ProductAccess(product: 300, isEnabled: true, limits: TimeLimits(from: time)),
        new: ProductAccess(product: 300, isEnabled: false, limits: TimeLimits(from: time, until: time + 1000)))
    ),
    (
      "membership-limited",
      MembershipLimited(user, 300, old: TimeLimits(until: time), new: TimeLimits(from: time, until: time + 1000))
    ),
    ("link-added", link),
    ("link-set", linkSet),
    ("link-removed", linkRemoved),
    ("approval-requested", ApprovalRequested(request)),
    ("approval-requested/places", ApprovalRequested(foreignRequest)),
    ("approval-decided", ApprovalDecided(request, approver: UserID(raw: 1031))),
    ("approval-decided/said", ApprovalDecided(foreignRequest, approver: UserID(raw: 1031), saying: "seen")),
    ("home-set", HomeSet(user, old: 1, new: 300)),
    ("workspace-joined", WorkspaceJoined(user, 300)),
    ("workspace-left", WorkspaceLeft(user, 300, limits: .none)),
    ("workspace-left/limited", WorkspaceLeft(user, 300, limits: TimeLimits(from: time, until: time + 1000))),
    ("field-defined", FieldDefined(field, old: nil)),
    ("field-dropped", goneField),
    ("field-dropped/kept", FieldDropped(field)),
    ("product-created", ProductCreated(3, 2, name: "office")),
    ("pool-set", PoolSet(3, type: "guest", old: nil, new: 700)),
    ("pool-set/more", PoolSet(3, type: "*", old: 5, new: 7)),
  ]

  private static let clerk: RoleDefinition = {
    var clerk = RoleDefinition(
      role: Role(number: 16), workspace: 2, name: "clerk", permissions: PermissionSet([.userRead, .userStatus]))
    clerk.label = RoleLabel(title: "Clerks", externalID: "g-16")
    return clerk
  }()

  private static let widgets = Account(id: 5, workspace: 300, name: "Widgets", kind: .customer, created: time)
  private static let europe: AccountGroup = {
    var europe = AccountGroup(id: 7, workspace: 300, name: "Europe", created: time)
    europe.add(5, lsn: 1)
    return europe
  }()

  private static let asia: AccountGroup = {
    var asia = europe
    asia.set(externalID: "g-7")
    return asia
  }()

  private static let organisations: [(name: String, change: any Change)] = [
    ("account-created", AccountCreated(5, 300, name: "Widgets", .provider)),
    ("account-set", AccountSet(widgets, key: "name", old: "Widgets", new: "Gizmos")),
    ("account-deleted", goneAccount),
    ("account-deleted/kept", AccountDeleted(widgets)),
    ("group-created", GroupCreated(7, 300, name: "Europe")),
    ("group-renamed", GroupRenamed(europe, new: "EU")),
    ("group-external-set", GroupExternalSet(europe, new: "g-7")),
    ("group-deleted", goneGroup),
    ("group-deleted/kept", GroupDeleted(asia)),
    ("account-joined-group", AccountJoinedGroup(europe, 5)),
    ("account-left-group", AccountLeftGroup(europe, 5)),
    ("employment-set", EmploymentSet(contact, old: nil, new: Employment(5, of: 300, isMain: true))),
    (
      "employment-set/days",
      EmploymentSet(
        contact, old: Employment(5, of: 300, from: 20_000),
        new: Employment(5, of: 300, from: 20_000, to: 20_513, isMain: true))
    ),
    ("employment-set/gone", EmploymentSet(contact, old: Employment(5, of: 300, to: 20_513), new: nil)),
    ("management-added", ManagementAdded(user, ManagementLink(.account(5), in: 300))),
    ("management-added/user", ManagementAdded(user, ManagementLink(.user(UserID(raw: 130)), in: 300))),
    ("management-removed", ManagementRemoved(user, ManagementLink(.group(7), in: 300))),
    ("role-granted/account", RoleGranted(user, Grant(role: .manager, scope: .account(5, of: 300), isMain: true))),
    (
      "role-granted/held",
      RoleGranted(
        user, Grant(role: .manager, scope: .product(3), isMain: true),
        held: Grant(role: .manager, scope: .product(3), isMain: false))
    ),
    (
      "role-revoked/main",
      RoleRevoked(user, Grant(role: .manager, scope: .everywhere, isMain: true, limits: TimeLimits(until: time)))
    ),
    ("role-revoked/group", RoleRevoked(user, Grant(role: .manager, scope: .group(7, of: 300), isMain: false))),
  ]

  private static let sessions: [(name: String, change: any Change)] = [
    (
      "session-opened",
      SessionOpened(
        session: session, user: user, token: token, product: 3, workspace: 1, expires: time, idleSeconds: 1800,
        opener: .unknown)
    ),
    (
      "session-opened/signed-in",
      SessionOpened(
        session: session, user: user, token: token, product: 3, workspace: 1, expires: time, idleSeconds: 1800,
        opener: .gatehouse)
    ),
    (
      "session-opened/impersonation",
      SessionOpened(
        session: session, user: user, token: token, product: 0, workspace: 300, expires: time, idleSeconds: 0,
        isBound: true,
        impersonation: Impersonation(
          actor: UserID(raw: 130), actorName: "tom", actorSession: actorSession, reason: "look"), opener: .unknown)
    ),
    (
      "session-opened/impersonation-of-service",
      SessionOpened(
        session: session, user: user, token: token, product: 0, workspace: 300, expires: time, idleSeconds: 0,
        isBound: true,
        impersonation: Impersonation(
          actor: UserID(raw: 130), actorName: "tommy", actorSession: actorSession, reason: "look"),
        opener: .service(300))
    ),
    ("session-ended", SessionEnded(session, user, .expired, actorSession: nil, product: 0, workspace: 0)),
    (
      "session-ended/impersonation",
      SessionEnded(session, user, .actorEnded, actorSession: actorSession, product: 0, workspace: 0)
    ),
    ("session-ended/placed", SessionEnded(session, user, .revoked, actorSession: nil, product: 3, workspace: 2)),
    ("session-seen", SessionSeen(session, user, time)),
    (
      "session-origin-told",
      SessionOriginTold(
        session, of: user, product: 3, workspace: 1, SessionOrigin(address: "2001:db8::1", agent: "Mozilla/5.0"))
    ),
    (
      "session-origin-told/impersonation",
      SessionOriginTold(
        session, of: user, by: UserID(raw: 9), product: 3, workspace: 1,
        SessionOrigin(address: "2001:db8::1", agent: "Mozilla/5.0"))
    ),
    ("session-restricted", SessionRestricted(session, of: user, product: 3, workspace: 1)),
    ("session-ended/displaced", SessionEnded(session, user, .displaced, actorSession: nil, product: 3, workspace: 2)),
  ]

  private static let secret = TimeSecret(
    (0x0102_0304_0506_0708, 0x1112_1314_1516_1718), (0x2122_2324, 0))

  private static var challenge: LoginChallenge {
    var challenge = LoginChallenge()
    (challenge.digest, challenge.product, challenge.service, challenge.expires) = (token, 3, 2, time)
    challenge.enrols = true
    challenge.wish = SessionWish(
      life: 60_000, idle: nil, origin: SessionOrigin(address: "192.0.2.1", agent: "Mozilla/5.0"))
    return challenge
  }

  private static let secondFactors: [(name: String, change: any Change)] = [
    ("second-factor-begun", SecondFactorBegun(user, secret)),
    ("second-factor-confirmed", SecondFactorConfirmed(user, step: 59_078_520, recovery: [token, .zero])),
    ("second-factor-used", SecondFactorUsed(user, step: 59_078_521)),
    ("second-factor-used/recovery", SecondFactorUsed(user, recovery: token, left: 9)),
    ("second-factor-disabled", SecondFactorDisabled(user)),
    ("challenge-issued", ChallengeIssued(user, challenge)),
    ("challenge-answered", ChallengeAnswered(user, token)),
    ("challenge-ended", ChallengeEnded(user, token)),
  ]

  private static let key = APIKeyID(raw: 1539)

  private static let apiKeys: [(name: String, change: any Change)] = [
    ("apikey-created", APIKeyCreated(key, of: user, digest: token, label: "ci", expires: time)),
    (
      "apikey-created/rotated",
      APIKeyCreated(
        key, of: user, digest: token, label: "", expires: 0, replaced: APIKeyID(raw: 1027),
        forgotten: APIKeyID(raw: 515))
    ),
    ("apikey-limited", APIKeyLimited(key, of: user, old: 0, new: time)),
    ("apikey-ended", APIKeyEnded(key, of: user, .userDeleted)),
    ("apikey-used", APIKeyUsed(key, of: user, time)),
  ]

  private static let content = EntryContent(start: time, end: time + 60_000, project: "Helpdesk", note: "draft")

  private static let times: [(name: String, change: any Change)] = [
    ("timer-started", TimerStarted(user: user, workspace: 1, start: time, project: "Helpdesk", note: "")),
    ("timer-stopped", TimerStopped(user, 1, entry: entry, end: time)),
    ("entry-added", EntryAdded(entry, user, 1, content)),
    (
      "entry-corrected",
      EntryCorrected(
        entry, user, old: content, new: EntryContent(start: time, end: time + 90_000, project: "", note: "draft"))
    ),
    ("entry-deleted", goneEntry),
    ("entry-deleted/kept", EntryDeleted(entry, user, content)),
  ]

  private static let directory: [(name: String, change: any Change)] = [
    ("workspace-created", WorkspaceCreated(2, name: "acme", plan: "enterprise")),
    ("workspace-set", WorkspaceSet(2, key: "policy.session.ttl", old: "12h", new: "1h")),
    ("workspace-set/owner", WorkspaceSet(2, key: "owner", old: "#771", new: "#1030")),
    ("service-created", ServiceCreated(1, name: "web", [.read, .timers], secret: token)),
    ("service-bound", ServiceBound(1, to: [2, 300])),
    ("service-bound-to-products", ServiceBoundToProducts(1, [2, 300])),
    ("service-deleted", goneService),
    ("service-deleted/kept", ServiceDeleted(crew)),
    ("service-rotated", ServiceRotated(1, secret: token, until: time)),
    ("service-rights-set", ServiceRightsSet(1, old: .read, new: [.read, .sessions])),
    ("service-certificate-set", ServiceCertificateSet(1, old: "", new: "web.example.com")),
    (
      "service-limited",
      ServiceLimited(1, old: .none, new: ServiceLimits(connections: 100, commands: 5000, bytes: 1_000_000))
    ),
  ]

  private static let crew: ServiceIdentity = {
    var crew = ServiceIdentity(id: 1, name: "crew", created: time, secret: .zero, rights: [.read, .timers])
    (crew.workspaces, crew.products, crew.certificate) = ([2, 300], [3], "crew.example.com")
    return crew
  }()

  private static let webhooks: [(name: String, change: any Change)] = [
    (
      "webhook-created",
      WebhookCreated(
        1, of: 2, name: "crm", url: "https://example.com/hooks", types: [StatusSet.code],
        secret: WebhookSecret((1, 2), (3, 4)), from: 17)
    ),
    ("webhook-set", WebhookSet(webhook, url: "https://example.com/new", types: [])),
    ("webhook-rotated", WebhookRotated(webhook, secret: WebhookSecret((5, 6), (7, 8)), until: time)),
    ("webhook-paused", WebhookPaused(webhook, why: "paused by command")),
    ("webhook-retried", WebhookRetried(webhook, moves: true, from: 5)),
    ("webhook-deleted", goneWebhook),
    ("webhook-deleted/kept", WebhookDeleted(webhook)),
    ("webhook-progressed", WebhookProgressed(webhook, progress)),
  ]

  private static let webhook: Webhook = {
    var webhook = Webhook(id: 1)
    webhook.workspace = 2
    webhook.name = "crm"
    webhook.url = "https://example.com/hooks"
    webhook.types = [StatusSet.code]
    return webhook
  }()

  private static let progress: WebhookProgress = {
    var progress = WebhookProgress()
    progress.cursor = 300
    progress.failures = 2
    progress.lastError = "the receiver answered 503"
    progress.lastErrorTime = time
    progress.lastSuccess = time + 1000
    return progress
  }()

  private static let others: [(name: String, change: any Change)] = [
    (
      "mail-queued",
      MailQueued(
        // As version 0.1.0 queued them: without a workspace and a time.
        Mail(
          id: MailID(raw: 67), user: user, kind: .usernameChanged, to: "a@b.test", of: 0, created: 0,
          message: "hidden"))
    ),
    ("mail-queued/whole", MailQueued(mail)),
    ("mail-leased", MailLeased(QueuedMail(mail), until: time + 1000)),
    ("mail-removed", MailRemoved(mail, .sent)),
    ("mail-failed", MailFailed(mail, "no route", next: time + 60_000)),
    ("mail-failed/dead", MailFailed(mail, "no such user", next: nil)),
    ("mail-queued/others", MailQueued(mailOfOthers)),
    ("mail-failed/others", MailFailed(mailOfOthers, "no route", next: time + 60_000)),
    ("mail-returned", MailReturned(returned)),
    ("mail-revived", MailRevived(mail, expires: time + 5000)),
    (
      "mail-template-set",
      MailTemplateSet(2, .invitation, "cs", old: nil, new: MailTemplate(subject: "Pozvánka", body: "{{name}}"))
    ),
    ("seats-low", SeatsLow(3, type: "guest", bought: 10, used: 9)),
    ("answer-kept", AnswerKept(partition: 3, key: token, arguments: .zero, reply: reply, until: 0)),
    (
      "answer-kept/until", AnswerKept(partition: 3, key: token, arguments: .zero, reply: reply, until: time)
    ),
    (
      "answer-kept/people",
      AnswerKept(
        partition: 3, key: token, arguments: .zero, reply: reply, until: time, people: [.contact(contact), .user(user)])
    ),
    ("answer-cleared", AnswerCleared(partition: 3, key: token)),
    (
      "keys-destroyed",
      KeysDestroyed(partition: 3, keys: [.contact(contact), .user(user)], generation: 2)
    ),
    ("snapshot-taken", SnapshotTaken(48_000)),
    ("log-archived", LogArchived(first: 1, last: 300, hash: "00ff")),
    ("archive-deleted", ArchiveDeleted(first: 1, last: 300, latest: time, retention: 86_400_000)),
    ("encryption-changed", EncryptionChanged(dataKey: 2, master: "1f2e3d4c5b6a7988")),
    ("clock-set", ClockSet(old: time + 1000, new: time)),
  ]

  private static var returned: QueuedMail {
    var queued = QueuedMail(mail)
    queued.attempts = 3
    return queued
  }

  static let mail = Mail(
    id: MailID(raw: 67), user: user, kind: .impersonated, to: "a@b.test", of: 2, created: time, message: "hidden",
    facts: [FieldText(.actor, "tom")], secret: "hidden too")

  private static let mailOfOthers = Mail(
    id: MailID(raw: 67), user: user, kind: .impersonated, to: "a@b.test", of: 2, created: time, message: "hidden",
    facts: [FieldText(.actor, "tom")], secret: "hidden too", addressee: UserID(raw: 1030), actor: UserID(raw: 1031))

  private static var reply: Reply {
    var reply = Reply()
    reply.map(1)
    reply.text("id")
    reply.integer(-5)
    reply.null()
    reply.secret("gs_x")
    reply.error("E")
    reply.simple("OK")
    reply.double(1.5)
    reply.array(2)
    reply.verbatim("v")
    return reply
  }

  static func header(_ command: String = "USER.STATUS", reason: String = "why") -> RecordHeader {
    RecordHeader(
      time: time, service: 2, actor: UserID(raw: 130), subject: user, connection: 7, command: command, reason: reason)
  }
}
