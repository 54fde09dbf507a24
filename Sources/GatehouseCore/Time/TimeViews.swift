/// A finished entry as shown.
public struct EntryView {
  public let id: EntryID
  /// The login for which it was recorded.
  public let user: UserReference
  public let workspace: WorkspaceID
  public let content: EntryContent
  public let startedBy: Author
  /// As whom, in an impersonation (B3).
  public let startedAs: UserID?
  public let stoppedBy: Author
  public let stoppedAs: UserID?
  public let version: UInt32
  public let isDeleted: Bool

  init(
    id: EntryID, user: UserReference, workspace: WorkspaceID, content: EntryContent, startedBy: Author,
    startedAs: UserID?, stoppedBy: Author, stoppedAs: UserID?, version: UInt32, isDeleted: Bool
  ) {
    self.id = id
    self.user = user
    self.workspace = workspace
    self.content = content
    self.startedBy = startedBy
    self.startedAs = startedAs
    self.stoppedBy = stoppedBy
    self.stoppedAs = stoppedAs
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
      startedAs: cell.state.time.startedAs(serial),
      stoppedBy: cell.state.time.author(EntryTag.stoppedBy, of: serial) ?? .service(0),
      stoppedAs: cell.state.time.impersonated(of: serial)[1],
      version: row.version + (isNext ? 1 : 0), isDeleted: row.isDeleted || deleting)
  }

  /// Everybody whom it names besides the user.
  var authors: [Author] { [startedBy, stoppedBy] + [startedAs, stoppedAs].compactMap { $0.map(Author.user) } }
}

extension Reply {
  /// A text, or null if it is empty.
  fileprivate mutating func filled(_ value: String) { optional(value.isEmpty ? nil : value) }

  /// The pairs that say whose time it is, and where.
  ///
  /// - Parameter isNamed: whether the caller may know the name that the person has by now.
  fileprivate mutating func add(user: UserReference, isNamed: Bool = true, in workspace: Node) {
    let username = isNamed ? user.withUsername { store($0) } : store("#\(user.id.raw)")
    add([.text("user"), .integer(user.id.raw), .text("username"), username, .text("workspace"), workspace])
  }

  /// The pairs that say what was worked on.
  fileprivate mutating func work(_ project: String, _ note: String) {
    let (projectText, noteText) = (storeFilled(project), storeFilled(note))
    add([.text("project"), projectText, .text("note"), noteText])
  }

  private mutating func storeFilled(_ value: String) -> Node { value.isEmpty ? .null : store(value) }
}

extension Turn {
  /// The map of an entry.
  func show(_ entry: EntryView) throws(Halt) {
    // The words name the entry alone, and a command that finds nothing to change says no more.
    noteNamed(entry.user)
    reply.map(14)
    reply.add([.text("entry"), .integer(entry.id.raw)])
    let workspace = withDirectory { reply.store($0.shownWorkspace(entry.workspace)) }
    reply.add(user: entry.user, isNamed: !isLimited || isNamed(entry.user, in: entry.workspace), in: workspace)
    reply.work(entry.content.project, entry.content.note)
    let starter = reply.store(try name(of: entry.startedBy, in: entry.workspace))
    let isStopper = entry.stoppedBy == entry.startedBy
    let stopper = isStopper ? starter : reply.store(try name(of: entry.stoppedBy, in: entry.workspace))
    reply.add([
      .text("start"), .integer(entry.content.start), .text("end"), .integer(entry.content.end), .text("started-by"),
      starter,
    ])
    try showPerson("started-as", entry.startedAs, in: entry.workspace)
    reply.add([.text("stopped-by"), stopper])
    try showPerson("stopped-as", entry.stoppedAs, in: entry.workspace)
    reply.add([
      .text("version"), .integer(entry.version), .text("deleted"), .integer(entry.isDeleted ? 1 : 0),
    ])
  }

  /// As whom somebody acted in an impersonation: a name, or null.
  func showPerson(_ field: StaticString, _ user: UserID?, in workspace: WorkspaceID) throws(Halt) {
    reply.text(field)
    if let user { reply.text(try name(of: .user(user), in: workspace)) } else { reply.null() }
  }

  /// The first six pairs of a running timer; who has started it follows.
  func show(_ timer: RunningTimer, of user: UserReference, in workspace: WorkspaceID, into reply: inout Reply) {
    let place = withDirectory { reply.store($0.shownWorkspace(workspace)) }
    reply.add(user: user, in: place)
    reply.work(timer.project, timer.note)
    reply.add([.text("start"), .integer(timer.start)])
  }

  /// One version of an entry, and who made it, when and why.
  ///
  /// - Parameter subject: as whom it was made in an impersonation.
  func showVersion(
    _ number: UInt32, _ content: EntryContent, isDeleted: Bool, time: Milliseconds, by: Author, as subject: UserID?,
    reason: String, in workspace: WorkspaceID
  ) throws(Halt) {
    reply.map(10)
    reply.text("version")
    reply.integer(number)
    reply.text("time")
    reply.integer(time)
    reply.text("by")
    reply.text(try name(of: by, in: workspace))
    try showPerson("as", subject, in: workspace)
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
