/// Looks through all partitions for the people or sessions that a change concerns.
///
/// Holders of a role and the sessions of a workspace live in every partition, and nobody may hold the partitions for as
/// long as it takes to look at all rows. So a search is work that a decision asks for (`Work`): it looks at a few hundred
/// rows at a time and leaves the partition in between. Afterwards the decision holds all owners and looks again, but only
/// in the partitions that have changed meanwhile (`Turn.found`). What it has then is exact, and one record can end all
/// of it.
public struct Search: Work {
  public typealias Outcome = Result<Findings, Refusal>

  let subjects: [Subject]
  /// How often the search was made because too much had changed when it was done.
  let round: Int

  public enum Subject: Sendable, Equatable {
    /// Users who have a role.
    case holders(of: Role)
    /// Over what a role is held, each once in a partition: `Scope.place`.
    case scopes(of: Role)
    /// Sessions that new settings of a workspace may end.
    case sessions(SessionSearch)
    /// Users who gain or lose the login to a product.
    case logins(LoginSearch)
    /// Contacts that have one of some values of a field, which are folded.
    case values(of: FieldID, among: [String])
    /// Users with management links.
    case managers(ManagerSearch)
  }

  /// The ids that were found.
  public struct Findings: Sendable {
    /// The last record of each partition when the search began to look at it.
    var lsns: [LSN]
    /// By subject and partition.
    var ids: [[[UInt64]]]
  }
}

extension Search {
  /// No findings yet.
  public func begin(_ partitioning: Partitioning) -> Findings {
    let count = partitioning.count
    return Findings(
      lsns: Array(repeating: 0, count: count),
      ids: Array(repeating: Array(repeating: [], count: count), count: subjects.count))
  }

  /// Looks at a slice of a partition's rows.
  ///
  /// - Parameter first: the row to begin with, 1 in a partition that was not looked at yet.
  /// - Returns: the row to go on with; nil where the partition is done.
  public func look(at cell: HeldPartition, from first: Int, into findings: inout Findings) -> Int? {
    if first == 1 { findings.lsns[cell.index] = cell.state.lsn }
    let end = first + Limits.rowsOfSlice
    var isDone = true
    for (place, subject) in subjects.enumerated() {
      let last = subject.rows(of: cell)
      subject.look(at: cell, first..<max(first, min(end, last + 1)), into: &findings.ids[place][cell.index])
      if end <= last { isDone = false }
    }
    return isDone ? nil : end
  }
}

extension Search.Subject {
  /// How many rows of a partition there are to look at.
  func rows(of cell: HeldPartition) -> Int {
    switch self {
    case .holders, .scopes, .logins: cell.state.people.users.last
    case .sessions: cell.state.sessions.rows.last
    case .values: cell.state.people.contacts.last
    // An index has them.
    case .managers: 1
    }
  }

  func look(at cell: HeldPartition, _ rows: Range<Int>, into ids: inout [UInt64]) {
    for row in rows {
      switch self {
      case .holders(let role):
        // The bits tell nearly all others apart without a look at their grants.
        guard cell.state.people.users[row].isUsed, cell.state.people.users[row].roles.mayContain(role) else { continue }
        guard cell.state.people.grants(of: row).contains(where: { $0.role == role }) else { continue }
        ids.append((cell.state.id(row) as UserID).raw)
      case .scopes(let role):
        guard cell.state.people.users[row].isUsed, cell.state.people.users[row].roles.mayContain(role) else { continue }
        for grant in cell.state.people.grants(of: row) where grant.role == role && !ids.contains(grant.scope.place) {
          ids.append(grant.scope.place)
        }
      case .sessions(let search): if search.finds(cell, row) { ids.append(cell.state.sessionID(ofSlot: row).raw) }
      case .logins(let search):
        guard cell.state.people.users[row].isUsed else { continue }
        let user = UserReference(id: cell.state.id(row), cell: cell, serial: row)
        if search.finds(user) { ids.append(user.id.raw) }
      case .values(let field, let values):
        guard cell.state.people.contacts[row].isUsed,
          cell.state.people.hasValue(of: field, among: values, contact: row)
        else { continue }
        ids.append((cell.state.id(row) as ContactID).raw)
      case .managers(let search): search.find(in: cell, &ids)
      }
    }
  }

  /// Whether this is about the same as another subject, perhaps as things were before.
  fileprivate func isOfKind(of other: Search.Subject) -> Bool {
    switch (self, other) {
    case (.holders, .holders), (.scopes, .scopes), (.sessions, .sessions), (.logins, .logins), (.values, .values),
      (.managers, .managers):
      true
    case (.holders, _), (.scopes, _), (.sessions, _), (.logins, _), (.values, _), (.managers, _): false
    }
  }
}

extension Scope {
  /// The workspace that it is or is in, 0 for everywhere; of a product its id behind a bit, because only the directory has
  /// its workspace.
  fileprivate var place: UInt64 {
    switch self {
    case .everywhere: 0
    case .workspace(let id), .account(_, let id), .group(_, let id): UInt64(id)
    case .product(let id): Self.ofProduct | UInt64(id)
    }
  }

  /// Behind all ids of workspaces.
  private static let ofProduct: UInt64 = 1 << 32
}

extension Turn {
  /// The workspaces over which, or over a part of which, a role is held.
  func workspaces(inWhichIsHeld role: Role) throws(Halt) -> [WorkspaceID] {
    Set(
      try found(.scopes(of: role)).compactMap { place -> WorkspaceID? in
        if let id = WorkspaceID(exactly: place) { return id == 0 ? nil : id }
        return directory.product(ProductID(truncatingIfNeeded: place))?.workspace
      }
    ).sorted()
  }

  /// After this many searches that were overtaken by changes the command is refused.
  private static let mostRounds = 4

  /// The ids of all that a search finds now. Everything is held afterwards.
  func found(_ subject: Search.Subject) throws(Halt) -> [UInt64] {
    if isGrouped { return try foundAtOnce(subject) }
    let (search, findings) = try searched(subject)
    let place = search.subjects.firstIndex(of: subject) ?? 0
    var ids: [UInt64] = []
    var rows = 0
    for cell in try everything() {
      if cell.state.lsn == findings.lsns[cell.index] {
        ids += findings.ids[place][cell.index]
        continue
      }
      rows += subject.rows(of: cell)
      guard rows <= Limits.rowsOfTransaction else {
        guard search.round < Self.mostRounds else {
          throw .refused(Refusal(.busy, "too much changes while all partitions are looked through; try again"))
        }
        throw .work(Search(subjects: search.subjects, round: search.round + 1))
      }
      subject.look(at: cell, 1..<(subject.rows(of: cell) + 1), into: &ids)
    }
    return ids
  }

  /// What a search has found a moment ago. Nothing is held for it.
  func foundLately(_ subject: Search.Subject) throws(Halt) -> [UInt64] {
    if isGrouped { return try foundAtOnce(subject) }
    let (search, findings) = try searched(subject)
    return findings.ids[search.subjects.firstIndex(of: subject) ?? 0].flatMap { $0 }
  }

  /// Between `MULTI` and `EXEC` nobody comes in between, so the search cannot leave the partitions.
  private func foundAtOnce(_ subject: Search.Subject) throws(Halt) -> [UInt64] {
    let cells = try everything()
    guard cells.reduce(0, { $0 + subject.rows(of: $1) }) <= Limits.rowsOfTransaction else {
      throw .refused(
        .limit("transaction: \(spec.name) would read more rows than \(Limits.rowsOfTransaction) at once"))
    }
    var ids: [UInt64] = []
    for cell in cells { subject.look(at: cell, 1..<(subject.rows(of: cell) + 1), into: &ids) }
    return ids
  }

  private func searched(_ subject: Search.Subject) throws(Halt) -> (Search, Search.Findings) {
    let done = finishedWorks.last(Search.self)
    let others = (done?.work.subjects ?? []).filter { !$0.isOfKind(of: subject) }
    guard let done, done.work.subjects.contains(subject) else {
      throw .work(Search(subjects: others + [subject], round: 0))
    }
    switch done.outcome {
    case .success(let findings): return (done.work, findings)
    case .failure(let refusal): throw .refused(refusal)
    }
  }
}
