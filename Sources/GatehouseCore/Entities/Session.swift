/// A login in force, or an impersonation: a login in force as somebody else.
package struct SessionRow: TableRow {
  /// SHA-256 of the token's text; the token itself is nowhere.
  package var token: Digest = .zero
  package var lsn: LSN = 0
  package var created: Milliseconds = 0
  /// The absolute limit.
  package var expires: Milliseconds = 0
  package var lastSeen: Milliseconds = 0
  /// The value of `lastSeen` that the log has.
  package var loggedSeen: Milliseconds = 0
  /// The idle limit in seconds; 0 for none.
  package var idleSeconds: UInt32 = 0
  /// How often the slot was used before; it stands in the id, so that an old id finds nothing.
  package var generation: UInt32 = 0
  /// Serial number of the user it acts as; 0 where the slot is free.
  package var user: UInt32 = 0
  /// Neighbours in the user's list of sessions, newest first; `next` also links the free slots.
  package var next: UInt32 = 0
  package var previous: UInt32 = 0
  /// The deadline, in seconds, under which the session is watched. What is watched under another is of the past.
  var watched: UInt32 = 0
  package var product: ProductID = 0
  package var workspace: WorkspaceID = 0
  package var kind: SessionKind = .login
  /// An impersonation bound to its workspace (K4).
  package var isBound = false
  package var details = DetailRange()

  package init() {}

  package static var vacant: SessionRow { SessionRow() }

  package var isUsed: Bool { user != 0 }

  /// When the session ends by itself if it is not used any more.
  package var deadline: Milliseconds {
    idleSeconds == 0 ? expires : min(expires, lastSeen + Milliseconds(idleSeconds) * 1000)
  }

  package func isLive(at now: Milliseconds) -> Bool { isUsed && now < deadline }
}

package enum SessionKind: UInt8, Sendable, BitwiseCopyable {
  case login = 1
  case impersonation

  package var name: StaticString { self == .login ? "login" : "impersonation" }
}

/// What an impersonation carries beside a session; in the details of its row.
package struct Impersonation: Sendable, Equatable {
  package static let tag: UInt8 = 1

  package let actor: UserID
  /// The actor's username when it began: a list of impersonations reads one partition at a time, and the actor
  /// may live in another.
  package let actorName: String
  /// The actor's own login, with which the impersonation ends.
  package let actorSession: SessionID
  package let reason: String

  package init(actor: UserID, actorName: String, actorSession: SessionID, reason: String) {
    self.actor = actor
    self.actorName = actorName
    self.actorSession = actorSession
    self.reason = reason
  }

  package func encode(_ writer: inout ByteWriter) {
    writer.varint(actor.raw)
    writer.text(actorName)
    writer.varint(actorSession.raw)
    writer.text(reason)
  }

  package init(from reader: inout ByteReader) throws(CodingError) {
    actor = UserID(raw: try reader.varint())
    actorName = try reader.text()
    actorSession = SessionID(raw: try reader.varint())
    reason = try reader.text()
  }
}

/// Why a session ended; stands in the audit trail.
package enum SessionEnd: UInt8, Sendable, CaseIterable {
  case revoked = 1
  case expired
  case statusChanged
  case accessRemoved
  case licenceRemoved
  case userDeleted
  /// The impersonation's actor logged out, or lost the right.
  case actorEnded

  package var name: String {
    switch self {
    case .revoked: "revoked"
    case .expired: "expired"
    case .statusChanged: "status-changed"
    case .accessRemoved: "access-removed"
    case .licenceRemoved: "licence-removed"
    case .userDeleted: "user-deleted"
    case .actorEnded: "actor-ended"
    }
  }
}

/// The id of a session: slot and generation. Slots are used again; ids are not.
package enum SessionNumber {
  package static let slotBits = 26

  package static func id(slot: Int, generation: UInt32, partition: Int, _ partitioning: Partitioning) -> SessionID {
    partitioning.id(serial: Int(generation) << slotBits | slot, partition: partition)
  }

  package static func slot(_ serial: Int) -> Int { serial & (1 << slotBits - 1) }
  package static func generation(_ serial: Int) -> UInt32 { UInt32(truncatingIfNeeded: serial >> slotBits) }
}
