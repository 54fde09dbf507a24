/// Marks by which a decision is compared with an earlier one of the same words (B13): 64 bits of the digest of each change.
///
/// They cover all that a change says, except what differs although the same was asked for: ids that are only now given out,
/// random tokens, the time of the decision itself, and old values, which the person concerned could change in order to be in
/// the way.
extension Turn {
  /// - Parameter requested: when it was asked for, if the decision is of a request. A change that says today has then the
  ///   mark of the day of the request as well.
  func marksOfChanges(askedAt requested: Milliseconds? = nil) -> [(marks: Set<UInt64>, change: AnyChange)] {
    let asked = changesAskedFor
    if asked.contains(where: { !$0.isConsequence }) {
      let days = requested.map { Int32(clamping: now / Days.milliseconds - $0 / Days.milliseconds) } ?? 0
      // Where the person is, the day may have changed once more or once less since.
      let shifts = days == 0 && requested == nil ? [0] : [0, days - 1, days, days + 1]
      return asked.map { change in (Set(shifts.map { mark(of: change, daysLater: $0) }), change) }
    }
    // Somebody's sessions or timers alone: then whose they are counts.
    return asked.flatMap { change in
      var keys: [UInt64] = []
      change.known?.addKeys(to: &keys)
      return keys.filter(RecordKey.isOfPeople).map { (marks: Set([$0]), change: change) }
    }
  }

  /// The changes that are asked for; if all only follow from what is, these.
  var changesAskedFor: [AnyChange] {
    let asked = changes.filter { !$0.isConsequence }
    return asked.isEmpty ? changes : asked
  }

  private func mark(of change: AnyChange, daysLater: Int32) -> UInt64 {
    func mark(_ change: some Change) -> UInt64 {
      var marker = ChangeMarker(turn: self, daysLater: daysLater)
      marker.writer.byte(type(of: change).code)
      var copy = change
      copy.visit(&marker)
      return marker.writer.withBytes(digest).a
    }
    return change.known.map { mark($0) } ?? 0
  }
}

extension AnyChange {
  /// Whether it follows from what a person is or does at the moment, and not from what was asked for: whoever is to be
  /// deleted may log in meanwhile, and the deletion then ends that session too.
  fileprivate var isConsequence: Bool {
    switch known {
    case is SessionOpened, is SessionEnded, is SessionSeen, is ChallengeEnded, is LoginCleared, is APIKeyEnded,
      is APIKeyUsed, is TimerStarted,
      is TimerStopped, is EntryAdded, is Noted,
      is RoleNarrowed, is UsernameRegained, is MailQueued, is MailRemoved, is SeatsLow, is AnswerKept, is AnswerCleared,
      is ApprovalDecided:
      true
    default: false
    }
  }
}

/// Writes the fields of a change that its mark is made of.
private struct ChangeMarker: FieldVisitor, ~Copyable {
  typealias Failure = Never

  let turn: Turn
  /// How many days after the request an employment is ended with the day of the decision.
  let daysLater: Int32
  var writer = ByteWriter()

  mutating func value<Form: FieldForm>(_ value: inout Form.Value, as form: Form.Type) {
    // Times of this form say when something was decided. What was asked for are limits, and contents of entries.
    if form == TimeForm.self || form == DigestForm.self { return }
    if let id = value as? any EntityIdentifier, turn.isNew(id) { return }
    if let link = value as? ManagementLink, case .user(let id) = link.target, turn.isNew(id) {
      writer.varint(link.workspace)
    } else if var employment = value as? Employment {
      employment.to = employment.to.map { $0 - daysLater }
      writer.employment(employment)
    } else {
      Form.write(value, to: &writer)
    }
    // What a role gives can be changed without granting it.
    if let grant = value as? Grant { writer.varint(turn.directory.permissions(of: grant.role).bits) }
  }

  mutating func later() {}

  /// What is removed counts, and not how it was.
  mutating func removed<Form: FieldForm>(_ name: String, _ value: inout Form.Value, as form: Form.Type) {
    if !writeIdentity(of: value) { self.value(&value, as: form) }
  }

  mutating func former<Form: FieldForm>(_ name: String, _ value: inout Form.Value, as form: Form.Type) {}

  mutating func change<Form: FieldForm>(
    _ name: String, old: inout Form.Value, new: inout Form.Value, as form: Form.Type
  ) {
    value(&new, as: form)
    if !Self.hasIdentity(new) { _ = writeIdentity(of: old) }
  }

  mutating func change<Form: FieldForm>(
    _ name: String, new: inout Form.Value, laterOld old: inout Form.Value?, as form: Form.Type
  ) {
    value(&new, as: form)
  }

  private static func hasIdentity(_ value: Any) -> Bool {
    value is Grant || value is ProductAccess || value is Employment
  }

  /// Writes which one a value is of several that somebody has.
  private mutating func writeIdentity(of value: Any) -> Bool {
    switch value {
    case let grant as Grant: GrantForm.write(Grant(role: grant.role, scope: grant.scope, isMain: false), to: &writer)
    case let access as ProductAccess: writer.varint(access.product)
    case let employment as Employment: writer.varint(employment.account)
    default: return false
    }
    return true
  }

  mutating func setting<Form: SettingForm>(
    _ field: inout Form.Value, old: inout String, new: inout String, as form: Form.Type
  ) {
    value(&field, as: form)
    writer.text(new)
  }

  mutating func secret<Form: FieldForm>(_ value: inout Form.Value, as form: Form.Type) {}
}
