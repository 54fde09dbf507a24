/// What the login rules would have read of a person at an earlier moment (B1).
///
/// The state has the present only, and the log every change with what was there before. So the present is taken back,
/// change by change, the newest first, down to the moment asked about. This costs the changes of one person since then,
/// which the index of the log finds, however long the log is.
struct PastPerson {
  private(set) var facts: PersonFacts
  /// Whether there was the login already.
  private(set) var exists = true
  private(set) var username: String
  /// Whether personal data was cleared since (L6). Dates are among it, so nobody knows what they were.
  private(set) var isCleared = false

  init(_ user: UserReference) {
    facts = PersonFacts(user)
    username = user.username
  }

  mutating func takeBack(_ change: AnyChange) {
    switch change.known {
    case let change as UserCreated where change.user == facts.id: exists = false
    case let change as StatusSet where change.user == facts.id: facts.status = change.old
    case let change as UserRenamed where change.user == facts.id: username = change.old
    case let change as ContactAnonymised where change.contact == facts.contact: isCleared = true
    case let change as AccessSet where change.user == facts.id:
      facts.accesses = ProductAccess.list(facts.accesses, with: change.old, insteadOf: change.new)
    case let change as WorkspaceJoined where change.user == facts.id:
      facts.memberships.removeAll { $0 == change.workspace }
      facts.membershipLimits[change.workspace] = nil
    case let change as WorkspaceLeft where change.user == facts.id: facts.memberships.append(change.workspace)
    case let change as MembershipLimited where change.user == facts.id:
      facts.membershipLimits[change.workspace] = change.old.isNone ? nil : change.old
    case let change as ContactSet where change.contact == facts.contact:
      ContactSet(change.contact, change.field, old: change.new, new: change.old).apply(to: &facts)
    default: break
    }
  }
}

extension Turn {
  /// A person as they were at an earlier moment.
  func person(_ user: UserReference, at moment: Milliseconds) throws(Halt) -> PastPerson {
    var work = ReadTrail()
    work.keys = RecordKey.about(user.id, contact: user.contactID)
    work.from = moment + 1
    work.count = Limits.changesOfPast
    switch try outcome(of: work) {
    case .success(let page):
      guard page.next == nil else {
        throw .refused(
          .limit(
            "changes: \(user.username) was changed more than \(Limits.changesOfPast) times since; ask about a later moment"
          ))
      }
      var past = PastPerson(user)
      for event in page.events { for change in event.part.changes.reversed() { past.takeBack(change) } }
      return past
    case .failure(let refusal): throw .refused(refusal)
    }
  }
}
