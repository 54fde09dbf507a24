/// Who is looking at a list, and what they may see of each user.
public struct ListViewer {
  let directory: Directory
  let now: Milliseconds
  /// The workspaces whose people are listed and whose data is shown.
  let reach: Reach
  /// Whether the viewer sees everything, so that users need no check.
  let isFree: Bool
  let sides: [Side]
  let digest: (UnsafeRawBufferPointer) -> Digest

  init(_ turn: Turn) {
    directory = turn.directory
    now = turn.now
    reach = turn.reach(of: .userRead)
    sides = turn.sides
    isFree = sides.isEmpty
    digest = turn.digest
  }

  /// What the viewer sees of a user; everything of themselves.
  func seen(of user: UserReference) -> Reach {
    isFree || !sides.contains { $0.isOneself(user) }
      ? reach
      : sides.reduce(.all) { $1.isOneself(user) ? $0 : $0.intersection($1.reach(of: .userRead)) }
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
