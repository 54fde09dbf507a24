public struct TimerStarted: PartitionChange {
  public static var code: UInt8 { 30 }
  public static var name: String { "timer-started" }

  public var user = UserID.none
  public var workspace: WorkspaceID = 0
  public var start: Milliseconds = 0
  public var project = ""
  public var note = ""

  public init() {}

  public init(user: UserID, workspace: WorkspaceID, start: Milliseconds, project: String, note: String) {
    self.user = user
    self.workspace = workspace
    self.start = start
    self.project = project
    self.note = note
  }

  @inline(__always)
  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&user, as: UserForm.self)
    try visitor.field("workspace", &workspace, as: WorkspaceForm.self)
    try visitor.field("start", &start, as: TimeForm.self)
    try visitor.field("project", &project, as: FilledTextForm.self)
    try visitor.field("note", &note, as: FilledTextForm.self)
  }

  public var concern: Concern { .nobody }
  public var carried: AnyChange { .timerStarted(self) }

  /// The same owners as the fields name, without copying the fields.
  public func owners(_ partitioning: Partitioning) -> ChangeOwners {
    ChangeOwners(partitioning.partition(of: user))
  }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    let key = TimerKey(user: state.partitioning.serial(of: user), workspace: workspace)
    state.time.start(
      RunningTimer(
        start: start, project: project, note: note, startedBy: header.author, as: header.impersonated, lsn: lsn), key)
  }
}

/// The running timer becomes the entry `entry`, which ends at `end`.
public struct TimerStopped: PartitionChange {
  public static var code: UInt8 { 31 }
  public static var name: String { "timer-stopped" }

  public var user = UserID.none
  public var workspace: WorkspaceID = 0
  public var entry = EntryID.none
  public var end: Milliseconds = 0

  public init() {}

  public init(_ user: UserID, _ workspace: WorkspaceID, entry: EntryID, end: Milliseconds) {
    self.user = user
    self.workspace = workspace
    self.entry = entry
    self.end = end
  }

  @inline(__always)
  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&user, as: UserForm.self)
    try visitor.field("workspace", &workspace, as: WorkspaceForm.self)
    try visitor.field("entry", &entry, as: EntryForm.self)
    try visitor.field("end", &end, as: TimeForm.self)
  }

  public var concern: Concern { .nobody }
  public var carried: AnyChange { .timerStopped(self) }

  /// The same owners as the fields name, without copying the fields.
  public func owners(_ partitioning: Partitioning) -> ChangeOwners {
    ChangeOwners(partitioning.partition(of: user))
  }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    let serial = state.partitioning.serial(of: user)
    guard let timer = state.time.stop(TimerKey(user: serial, workspace: workspace)) else {
      preconditionFailure("the timer of user \(user.raw) was stopped but does not run")
    }
    let content = EntryContent(start: timer.start, end: end, project: timer.project, note: timer.note)
    state.add(
      entry, of: serial, workspace, content, startedBy: timer.startedBy, as: timer.startedAs, header, lsn)
  }
}
