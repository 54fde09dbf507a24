/// A change as people read it in the audit trail: what kind, of what, and which fields went from what to what.
///
/// Secrets have no text: digests of tokens and secrets, kept answers and the messages of mails are left out.
public struct ChangeText: Sendable, Equatable {
  public struct Field: Sendable, Equatable {
    public let name: String
    /// nil where there was nothing, or where the change does not say.
    public let old: String?
    public let new: String?
  }

  /// `status-set`.
  public let kind: String
  /// `user #12`.
  public let entity: String
  public let fields: [Field]

  /// - Parameter directory: gives products and workspaces their names; without it they are shown by number.
  public init(_ change: Change, in directory: Directory? = nil) {
    self = ChangeTextMaker(directory: directory).text(of: change)
  }

  fileprivate init(_ kind: String, _ entity: String, _ fields: [Field] = []) {
    self.kind = kind
    self.entity = entity
    self.fields = fields
  }
}

extension ChangeText: CustomStringConvertible {
  /// `status-set user #12, status: active → locked`, on one line whatever the values are.
  public var description: String {
    ([("\(kind) \(entity)")] + fields.map(\.description)).joined(separator: ", ")
  }
}

extension ChangeText.Field: CustomStringConvertible {
  public var description: String {
    switch (old, new) {
    case (nil, let new?): "\(name): \(ShownText.value(new))"
    case (let old?, let new): "\(name): \(ShownText.value(old)) → \(ShownText.value(new ?? ""))"
    case (nil, nil): name
    }
  }
}

extension Record {
  public func changeTexts(in directory: Directory? = nil) -> [ChangeText] {
    changes.map { ChangeText($0, in: directory) }
  }
}

private struct ChangeTextMaker {
  let directory: Directory?

  func text(of change: Change) -> ChangeText {
    switch change {
    case .contactCreated(let id, let fields):
      ChangeText("contact-created", entity(id), fields.map { new($0.field.name, $0.text) })
    case .contactSet(let id, let field, let old, let new):
      ChangeText("contact-set", entity(id), [ChangeText.Field(name: field.name, old: old, new: new)])
    case .userCreated(let created):
      ChangeText("user-created", entity(created.user), fields(of: created))
    case .userSet(let id, let field, let old, let new):
      ChangeText("user-set", entity(id), [ChangeText.Field(name: field.name, old: old, new: new)])
    case .userRenamed(let id, let old, let new):
      ChangeText("user-renamed", entity(id), [ChangeText.Field(name: "username", old: old, new: new)])
    case .statusSet(let id, let old, let new):
      ChangeText(
        "status-set", entity(id), [ChangeText.Field(name: "status", old: "\(old.name)", new: "\(new.name)")])
    case .accessSet(let id, let old, let new): ChangeText("access-set", entity(id), fields(old, new))
    case .roleGranted(let id, let grant): ChangeText("role-granted", entity(id), fields(of: grant))
    case .roleRevoked(let id, let grant):
      ChangeText("role-revoked", entity(id), [ChangeText.Field(name: "role", old: text(of: grant), new: nil)])
    case .workspaceJoined(let id, let workspace):
      ChangeText("workspace-joined", entity(id), [new("workspace", name(workspace: workspace))])
    case .workspaceLeft(let id, let workspace):
      ChangeText(
        "workspace-left", entity(id), [ChangeText.Field(name: "workspace", old: name(workspace: workspace), new: nil)])
    case .noted(let id, let note): ChangeText("noted", entity(id), [field(of: note)])
    case .mailQueued(let mail):
      ChangeText(
        "mail-queued", "mail #\(mail.id.raw)",
        [user(mail.user), new("kind", mail.kind.name), new("recipient", mail.recipient)])
    case .sessionOpened, .sessionEnded, .sessionSeen: sessionText(of: change)
    case .timerStarted, .timerStopped, .entryAdded, .entryCorrected, .entryDeleted: timeText(of: change)
    case .workspaceCreated, .workspaceSet, .productCreated, .poolSet, .serviceCreated, .serviceDeleted:
      organisationText(of: change)
    case .answerKept: ChangeText("answer-kept", "idempotency key")
    case .snapshotTaken(let lsn): ChangeText("snapshot-taken", "data folder", [new("lsn", "\(lsn)")])
    case .logArchived(let first, let last, let hash):
      ChangeText(
        "log-archived", "data folder", [new("first", "\(first)"), new("last", "\(last)"), new("hash", hash)])
    case .clockSet(let old, let new):
      ChangeText(
        "clock-set", "data folder",
        [ChangeText.Field(name: "time", old: TimeText.text(of: old), new: TimeText.text(of: new))])
    }
  }

  // MARK: People

  private func fields(of created: UserCreated) -> [ChangeText.Field] {
    [
      new("username", created.username), new("contact", "#\(created.contact.raw)"),
      new("status", "\(created.status.name)"),
      new("workspaces", created.workspaces.map(name(workspace:)).joined(separator: " ")),
    ] + created.fields.map { new($0.field.name, $0.text) }
  }

  private func fields(_ old: ProductAccess?, _ new: ProductAccess?) -> [ChangeText.Field] {
    guard let product = (new ?? old)?.product else { return [] }
    func compare(_ name: String, _ value: (ProductAccess) -> String) -> ChangeText.Field? {
      let before = old.map(value)
      let after = new.map(value)
      return before == after ? nil : ChangeText.Field(name: name, old: before, new: after)
    }
    return [self.new("product", name(product: product))]
      + [
        compare("access") { $0.isEnabled ? "enabled" : "disabled" },
        compare("permission") { $0.isAdministrator ? "administrator" : "regular" },
        compare("licence") { name(licence: $0) },
      ].compactMap { $0 }
  }

  private func fields(of grant: Grant) -> [ChangeText.Field] {
    [new("role", text(of: grant))] + (grant.isMain ? [new("main", "1")] : [])
  }

  private func text(of grant: Grant) -> String {
    switch grant.scope {
    case .everywhere: grant.role.name
    case .workspace(let id): "\(grant.role.name) in workspace \(name(workspace: id))"
    case .product(let id): "\(grant.role.name) in product \(name(product: id))"
    case .account(let id): "\(grant.role.name) in account #\(id)"
    case .group(let id): "\(grant.role.name) in group #\(id)"
    }
  }

  private func field(of note: Note) -> ChangeText.Field {
    switch note {
    case .billingAccepted(let workspace): new("billing-accepted", name(workspace: workspace))
    case .productsTouched(let products):
      new("products-touched", products.map(name(product:)).joined(separator: " "))
    }
  }

  // MARK: Sessions

  private func sessionText(of change: Change) -> ChangeText {
    switch change {
    case .sessionOpened(let opened): return ChangeText("session-opened", entity(opened.session), fields(of: opened))
    case .sessionEnded(let id, let user, let cause, let actorSession):
      let actor = actorSession.map { [new("actor-session", "#\($0.raw)")] } ?? []
      return ChangeText("session-ended", entity(id), [self.user(user), new("cause", cause.name)] + actor)
    case .sessionSeen(let id, let user, let time):
      return ChangeText("session-seen", entity(id), [self.user(user), new("last-seen", TimeText.text(of: time))])
    default: preconditionFailure("not a change of a session")
    }
  }

  private func fields(of opened: SessionOpened) -> [ChangeText.Field] {
    var fields = [user(opened.user)]
    if opened.product != 0 { fields.append(new("product", name(product: opened.product))) }
    fields.append(new("workspace", name(workspace: opened.workspace)))
    fields.append(new("expires", TimeText.text(of: opened.expires)))
    if opened.idleSeconds != 0 { fields.append(new("idle", "\(opened.idleSeconds)s")) }
    if opened.isBound { fields.append(new("bound", "1")) }
    if let impersonation = opened.impersonation {
      fields.append(new("actor", "#\(impersonation.actor.raw)"))
      fields.append(new("actor-session", "#\(impersonation.actorSession.raw)"))
      fields.append(new("reason", impersonation.reason))
    }
    return fields
  }

  // MARK: Time

  private func timeText(of change: Change) -> ChangeText {
    switch change {
    case .timerStarted(let started):
      return ChangeText(
        "timer-started", entity(started.user),
        [new("workspace", name(workspace: started.workspace)), new("start", TimeText.text(of: started.start))]
          + [filled("project", started.project), filled("note", started.note)].compactMap { $0 })
    case .timerStopped(let id, let workspace, let entry, let end):
      return ChangeText(
        "timer-stopped", entity(id),
        [
          new("workspace", name(workspace: workspace)), new("entry", "#\(entry.raw)"),
          new("end", TimeText.text(of: end)),
        ])
    case .entryAdded(let id, let user, let workspace, let content):
      return ChangeText(
        "entry-added", entity(id),
        [self.user(user), new("workspace", name(workspace: workspace))] + fields(nil, content))
    case .entryCorrected(let id, let user, let old, let new):
      return ChangeText("entry-corrected", entity(id), [self.user(user)] + fields(old, new))
    case .entryDeleted(let id, let user): return ChangeText("entry-deleted", entity(id), [self.user(user)])
    default: preconditionFailure("not a change of time")
    }
  }

  private func fields(_ old: EntryContent?, _ new: EntryContent) -> [ChangeText.Field] {
    func compare(_ name: String, _ value: (EntryContent) -> String) -> ChangeText.Field? {
      let before = old.map(value)
      let after = value(new)
      return before == after || (before == nil && after.isEmpty)
        ? nil : ChangeText.Field(name: name, old: before, new: after)
    }
    return [
      compare("start") { TimeText.text(of: $0.start) }, compare("end") { TimeText.text(of: $0.end) },
      compare("project", \.project), compare("note", \.note),
    ].compactMap { $0 }
  }

  // MARK: Organisation

  private func organisationText(of change: Change) -> ChangeText {
    switch change {
    case .workspaceCreated(let id, let name, let plan):
      return ChangeText("workspace-created", "workspace \(name)", [new("id", "\(id)"), new("plan", plan)])
    case .workspaceSet(let id, let key, let old, let new):
      return ChangeText(
        "workspace-set", "workspace \(name(workspace: id))", [ChangeText.Field(name: key, old: old, new: new)])
    case .productCreated(let id, let workspace, let name):
      return ChangeText(
        "product-created", "product \(name)",
        [new("id", "\(id)"), new("workspace", self.name(workspace: workspace))])
    case .poolSet(let product, let type, let old, let new):
      return ChangeText(
        "pool-set", "product \(name(product: product))",
        [self.new("type", type), ChangeText.Field(name: "bought", old: old.map(String.init), new: "\(new)")])
    case .serviceCreated(let id, let name, let rights, _):
      return ChangeText(
        "service-created", "service \(name)",
        [new("id", "\(id)"), new("rights", rights.names.joined(separator: " "))])
    case .serviceDeleted(let id):
      return ChangeText("service-deleted", "service \(directory?.service(id)?.name ?? "\(id)")")
    default: preconditionFailure("not a change of the organisation")
    }
  }

  // MARK: Names

  private func new(_ name: String, _ text: String) -> ChangeText.Field {
    ChangeText.Field(name: name, old: nil, new: text)
  }

  private func user(_ id: UserID) -> ChangeText.Field { new("user", "#\(id.raw)") }

  private func filled(_ name: String, _ text: String) -> ChangeText.Field? { text.isEmpty ? nil : new(name, text) }

  private func entity(_ id: UserID) -> String { "user #\(id.raw)" }
  private func entity(_ id: ContactID) -> String { "contact #\(id.raw)" }
  private func entity(_ id: SessionID) -> String { "session #\(id.raw)" }
  private func entity(_ id: EntryID) -> String { "entry #\(id.raw)" }

  private func name(workspace id: WorkspaceID) -> String {
    guard let directory, id > 0, Int(id) <= directory.workspaces.count else { return "\(id)" }
    return directory.workspace(id).name
  }

  private func name(product id: ProductID) -> String {
    directory?.product(id).map { directory?.productName($0) ?? $0.name } ?? "\(id)"
  }

  private func name(licence access: ProductAccess) -> String {
    if access.licence == 0 { return "" }
    return directory?.product(access.product)?.licenceName(access.licence) ?? "\(access.licence)"
  }
}
