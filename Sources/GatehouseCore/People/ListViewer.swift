/// Who is looking at a list, and what they may see of each user.
public struct ListViewer {
  let directory: Directory
  let now: Milliseconds
  /// The workspaces whose people are listed and whose data is shown.
  let reach: Reach
  /// Whether the viewer sees everything, so that users need no check.
  let isFree: Bool
  /// Whether what the viewer sees differs from person to person, by who employs them.
  private let isPersonal: Bool
  let sides: [Side]
  let digest: (UnsafeRawBufferPointer) -> Digest

  init(_ turn: Turn) {
    directory = turn.directory
    now = turn.now
    reach = turn.reach(of: .userRead)
    sides = turn.sides
    isFree = sides.isEmpty
    isPersonal = sides.contains(where: \.holdsOverAccounts)
    digest = turn.digest
  }

  /// What the viewer sees of a user; everything of themselves.
  func seen(of user: UserReference) -> Reach {
    if isFree || !isPersonal && !sides.contains(where: { $0.isOneself(user) }) { return reach }
    return sides.reduce(.all) {
      $1.isOneself(user) ? $0 : $0.intersection($1.reach(of: .userRead, over: user, in: directory, at: now))
    }
  }

  /// The contacts of a partition that include all whom the viewer may see; nil if that may be anybody.
  func people(in cell: HeldPartition) -> [UInt32]? {
    for side in sides {
      let held = side.holdings.filter { $0.permissions.contains(.userRead) }
      let scopes = held.compactMap(\.employers)
      guard scopes.count == held.count else { continue }
      var found: [UInt32] = []
      if let own = side.person?.contact, cell.state.partitioning.partition(of: own) == cell.index {
        found.append(UInt32(cell.state.partitioning.serial(of: own)))
      }
      for scope in scopes {
        guard let employees = scope.employees(in: cell) else { return nil }
        found += employees
      }
      return found
    }
    return nil
  }

  func shows(_ user: UserReference) -> Bool {
    sides.allSatisfy { side in
      side.isOneself(user)
        || side.allows(.userRead, over: .anyOf(user.memberships(notEndedAt: now)), of: user, in: directory, at: now)
    }
  }

  /// Of contacts without a login those are shown whose workspace the viewer sees.
  func shows(_ contact: ContactReference) -> Bool {
    contact.newestLogin.map(shows) ?? contact.home.map(reach.contains) ?? false
  }
}
