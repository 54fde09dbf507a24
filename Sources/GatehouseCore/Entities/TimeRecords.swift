/// Who did it: the name under which an actor is shown for good, even after a rename or a deletion of the login.
package enum Author: Sendable, Equatable {
  /// An application acting by itself.
  case service(ServiceID)
  /// A user: of an impersonation the actor, who really did it.
  case user(UserID)

  package func encode(_ writer: inout ByteWriter) {
    switch self {
    case .service(let id):
      writer.byte(0)
      writer.varint(id)
    case .user(let id):
      writer.byte(1)
      writer.varint(id.raw)
    }
  }

  package init(from reader: inout ByteReader) throws(CodingError) {
    switch try reader.byte() {
    case 0: self = .service(try reader.number())
    case 1: self = .user(UserID(raw: try reader.varint()))
    default: throw reader.failure("an unknown kind of author")
    }
  }
}

/// Whose timer, and where: a user has at most one running in a workspace.
package struct TimerKey: Sendable, Hashable {
  /// Serial number of the user.
  package let user: UInt32
  package let workspace: WorkspaceID

  package init(user: Int, workspace: WorkspaceID) {
    self.user = UInt32(user)
    self.workspace = workspace
  }
}

/// A running time record.
package struct RunningTimer: Sendable {
  package var start: Milliseconds
  package var project: String
  package var note: String
  package var startedBy: Author
  package var lsn: LSN

  package init(start: Milliseconds, project: String, note: String, startedBy: Author, lsn: LSN) {
    self.start = start
    self.project = project
    self.note = note
    self.startedBy = startedBy
    self.lsn = lsn
  }
}

/// A finished time record: half-open `[start, end)`.
package struct EntryRow: TableRow {
  package var lsn: LSN = 0
  package var created: Milliseconds = 0
  package var start: Milliseconds = 0
  package var end: Milliseconds = 0
  /// Serial number of the contact: what a person did stays with the person (S2).
  package var contact: UInt32 = 0
  /// Serial number of the user it was recorded for.
  package var user: UInt32 = 0
  /// The contact's entry before this one; 0 for none.
  package var previous: UInt32 = 0
  package var version: UInt32 = 0
  package var workspace: WorkspaceID = 0
  package var isDeleted = false
  package var details = DetailRange()

  package init() {}

  package static var vacant: EntryRow { EntryRow() }

  package var isUsed: Bool { version > 0 }
}

/// What an entry says, besides whose it is.
package struct EntryContent: Sendable, Equatable {
  package var start: Milliseconds
  package var end: Milliseconds
  package var project: String
  package var note: String

  package init(start: Milliseconds, end: Milliseconds, project: String, note: String) {
    self.start = start
    self.end = end
    self.project = project
    self.note = note
  }

  package func encode(_ writer: inout ByteWriter) {
    writer.signed(start)
    writer.signed(end - start)
    writer.text(project)
    writer.text(note)
  }

  package init(from reader: inout ByteReader) throws(CodingError) {
    start = try reader.signed()
    end = start &+ (try reader.signed())
    project = try reader.text()
    note = try reader.text()
  }
}

package enum EntryTag {
  package static let project: UInt8 = 1
  package static let note: UInt8 = 2
  package static let startedBy: UInt8 = 3
  package static let stoppedBy: UInt8 = 4
  /// Why the entry was made, where somebody said so.
  package static let reason: UInt8 = 5
}

/// A version of an entry that was corrected since, with who did so, when and why.
package struct EntryVersion: Sendable, Equatable {
  package let version: UInt32
  /// When it was corrected.
  package let time: Milliseconds
  package let by: Author
  package let reason: String
  /// What the entry said before.
  package let content: EntryContent
  package let isDeleted: Bool

  package init(
    version: UInt32, time: Milliseconds, by: Author, reason: String, content: EntryContent, isDeleted: Bool
  ) {
    self.version = version
    self.time = time
    self.by = by
    self.reason = reason
    self.content = content
    self.isDeleted = isDeleted
  }

  package func encode(_ writer: inout ByteWriter) {
    writer.varint(version)
    writer.signed(time)
    by.encode(&writer)
    writer.text(reason)
    content.encode(&writer)
    writer.flag(isDeleted)
  }

  package init(from reader: inout ByteReader) throws(CodingError) {
    version = try reader.number()
    time = try reader.signed()
    by = try Author(from: &reader)
    reason = try reader.text()
    content = try EntryContent(from: &reader)
    isDeleted = try reader.flag()
  }
}
