/// A finished entry as shown.
public struct EntryView {
  public let id: EntryID
  /// The login for which it was recorded.
  public let user: UserReference
  public let workspace: WorkspaceID
  public let content: EntryContent
  public let startedBy: Author
  public let stoppedBy: Author
  public let version: UInt32
  public let isDeleted: Bool

  init(
    id: EntryID, user: UserReference, workspace: WorkspaceID, content: EntryContent, startedBy: Author,
    stoppedBy: Author, version: UInt32, isDeleted: Bool
  ) {
    self.id = id
    self.user = user
    self.workspace = workspace
    self.content = content
    self.startedBy = startedBy
    self.stoppedBy = stoppedBy
    self.version = version
    self.isDeleted = isDeleted
  }

  /// An entry of a partition's state, as it is or with its next content and version.
  init(_ cell: HeldPartition, _ serial: Int, next: EntryContent? = nil, deleting: Bool = false) {
    let row = cell.state.time.entries[serial]
    let isNext = next != nil || deleting
    self.init(
      id: cell.state.id(serial),
      user: UserReference(id: cell.state.id(Int(row.user)), cell: cell, serial: Int(row.user)),
      workspace: row.workspace, content: next ?? cell.state.time.content(of: serial),
      startedBy: cell.state.time.author(EntryTag.startedBy, of: serial) ?? .service(0),
      stoppedBy: cell.state.time.author(EntryTag.stoppedBy, of: serial) ?? .service(0),
      version: row.version + (isNext ? 1 : 0), isDeleted: row.isDeleted || deleting)
  }
}

extension Reply {
  /// A text, or null if it is empty.
  fileprivate mutating func filled(_ value: String) { optional(value.isEmpty ? nil : value) }

  /// The pairs with which entries, timers and versions start.
  fileprivate mutating func work(_ project: String, _ note: String) {
    text("project")
    filled(project)
    text("note")
    filled(note)
  }
}

extension Turn {
  /// The map of an entry.
  func show(_ entry: EntryView) throws(Halt) {
    reply.map(12)
    reply.text("entry")
    reply.integer(entry.id.raw)
    reply.text("user")
    reply.integer(entry.user.id.raw)
    reply.text("username")
    entry.user.withUsername { reply.text($0) }
    reply.text("workspace")
    reply.text(directory.shownWorkspace(entry.workspace))
    reply.work(entry.content.project, entry.content.note)
    reply.text("start")
    reply.integer(entry.content.start)
    reply.text("end")
    reply.integer(entry.content.end)
    reply.text("started-by")
    let starter = try name(of: entry.startedBy, in: entry.workspace)
    reply.text(starter)
    reply.text("stopped-by")
    reply.text(entry.stoppedBy == entry.startedBy ? starter : try name(of: entry.stoppedBy, in: entry.workspace))
    reply.text("version")
    reply.integer(entry.version)
    reply.text("deleted")
    reply.flag(entry.isDeleted)
  }

  /// The first six pairs of a running timer; who has started it follows.
  func show(_ timer: RunningTimer, of user: UserReference, in workspace: WorkspaceID, into reply: inout Reply) {
    reply.text("user")
    reply.integer(user.id.raw)
    reply.text("username")
    user.withUsername { reply.text($0) }
    reply.text("workspace")
    reply.text(directory.shownWorkspace(workspace))
    reply.work(timer.project, timer.note)
    reply.text("start")
    reply.integer(timer.start)
  }

  /// One version of an entry, and who made it, when and why.
  func showVersion(
    _ number: UInt32, _ content: EntryContent, isDeleted: Bool, time: Milliseconds, by: Author, reason: String,
    in workspace: WorkspaceID
  ) throws(Halt) {
    reply.map(9)
    reply.text("version")
    reply.integer(number)
    reply.text("time")
    reply.integer(time)
    reply.text("by")
    reply.text(try name(of: by, in: workspace))
    reply.text("reason")
    reply.filled(reason)
    reply.work(content.project, content.note)
    reply.text("start")
    reply.integer(content.start)
    reply.text("end")
    reply.integer(content.end)
    reply.text("deleted")
    reply.flag(isDeleted)
  }
}
