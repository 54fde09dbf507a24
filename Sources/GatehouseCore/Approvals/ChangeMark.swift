/// Marks by which a decision is compared with an earlier one of the same words (B13): 64 bits of the digest of each change.
///
/// They leave out what differs although the same was asked for: ids that are only now given out, random tokens, times, and
/// old values, which the person concerned could change in order to be in the way.
extension Turn {
  func marksOfChanges() -> [(mark: UInt64, change: AnyChange)] {
    let asked = changesAskedFor
    if asked.contains(where: { !$0.isConsequence }) { return asked.map { (mark(of: $0), $0) } }
    // Somebody's sessions or timers alone: then whose they are counts.
    return asked.flatMap { change in
      var keys: [UInt64] = []
      change.known?.addKeys(to: &keys)
      return keys.filter(RecordKey.isOfPeople).map { (mark: $0, change: change) }
    }
  }

  /// The changes that are asked for; if all only follow from what is, these.
  var changesAskedFor: [AnyChange] {
    let asked = changes.filter { !$0.isConsequence }
    return asked.isEmpty ? changes : asked
  }

  private func mark(of change: AnyChange) -> UInt64 {
    func mark(_ change: some Change) -> UInt64 {
      var marker = ChangeMarker(turn: self)
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
    case is SessionOpened, is SessionEnded, is SessionSeen, is APIKeyEnded, is APIKeyUsed, is TimerStarted,
      is TimerStopped, is EntryAdded, is Noted,
      is RoleNarrowed, is MailQueued, is MailRemoved, is SeatsLow, is AnswerKept, is ApprovalDecided:
      true
    default: false
    }
  }
}

/// Writes the fields of a change that its mark is made of.
private struct ChangeMarker: FieldVisitor, ~Copyable {
  typealias Failure = Never

  let turn: Turn
  var writer = ByteWriter()

  mutating func value<Form: FieldForm>(_ value: inout Form.Value, as form: Form.Type) {
    if form == TimeForm.self || form == LimitsForm.self || form == DigestForm.self { return }
    if let id = value as? any EntityIdentifier, turn.isNew(id) { return }
    if var grant = value as? Grant {
      (grant.isMain, grant.limits) = (false, .none)
      GrantForm.write(grant, to: &writer)
      // What a role gives can be changed without granting it.
      writer.varint(turn.directory.permissions(of: grant.role).bits)
    } else if var access = value as? ProductAccess {
      access.limits = .none
      AccessForm.write(access, to: &writer)
    } else if let employment = value as? Employment {
      // Its days are those of the words, or today.
      writer.varint(employment.account)
      writer.varint(employment.workspace)
    } else {
      Form.write(value, to: &writer)
    }
  }

  mutating func later() {}

  mutating func change<Form: FieldForm>(
    _ name: String, old: inout Form.Value, new: inout Form.Value, as form: Form.Type
  ) { value(&new, as: form) }

  mutating func setting<Form: SettingForm>(
    _ field: inout Form.Value, old: inout String, new: inout String, as form: Form.Type
  ) {
    value(&field, as: form)
    writer.text(new)
  }

  mutating func secret<Form: FieldForm>(_ value: inout Form.Value, as form: Form.Type) {}
}
