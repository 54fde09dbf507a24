/// An entry is recorded after the fact.
public struct EntryAdded: PartitionChange {
  public static var code: UInt8 { 32 }
  public static var name: String { "entry-added" }

  public var entry = EntryID.none
  public var user = UserID.none
  public var workspace: WorkspaceID = 0
  public var content = EntryContent.none

  public init() {}

  public init(_ entry: EntryID, _ user: UserID, _ workspace: WorkspaceID, _ content: EntryContent) {
    self.entry = entry
    self.user = user
    self.workspace = workspace
    self.content = content
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&entry, as: EntryForm.self)
    try visitor.field("user", &user, as: UserForm.self)
    try visitor.field("workspace", &workspace, as: WorkspaceForm.self)
    try visitor.field("content", &content, as: EntryContentForm.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    let serial = state.partitioning.serial(of: user)
    state.add(
      entry, of: serial, workspace, content, startedBy: header.author, as: header.impersonated, header, lsn)
  }
}

public struct EntryCorrected: PartitionChange {
  public static var code: UInt8 { 33 }
  public static var name: String { "entry-corrected" }

  public var entry = EntryID.none
  public var user = UserID.none
  public var old = EntryContent.none
  public var new = EntryContent.none

  public init() {}

  public init(_ entry: EntryID, _ user: UserID, old: EntryContent, new: EntryContent) {
    self.entry = entry
    self.user = user
    self.old = old
    self.new = new
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&entry, as: EntryForm.self)
    try visitor.field("user", &user, as: UserForm.self)
    try visitor.change("content", old: &old, new: &new, as: EntryContentForm.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    let serial = state.partitioning.serial(of: entry)
    state.remember(serial, old, header)
    state.time.leave(serial, lsn)
    state.time.entries[serial].start = new.start
    state.time.entries[serial].end = new.end
    var details = state.time.entries.details(of: serial)
    details[text: EntryTag.project] = new.project
    details[text: EntryTag.note] = new.note
    state.time.entries.setDetails(of: serial, details.bytes)
    state.time.entries[serial].version += 1
    state.time.entries[serial].lsn = lsn
    state.time.noteImpersonated(header, of: serial)
    state.time.enter(serial)
  }
}

public struct EntryDeleted: PartitionChange {
  public static var code: UInt8 { 34 }
  public static var name: String { "entry-deleted" }

  public var entry = EntryID.none
  public var user = UserID.none
  /// nil in records of earlier versions.
  public var content: EntryContent?

  public init() {}

  public init(_ entry: EntryID, _ user: UserID, _ content: EntryContent) {
    self.entry = entry
    self.user = user
    self.content = content
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&entry, as: EntryForm.self)
    try visitor.field("user", &user, as: UserForm.self)
    try visitor.later()
    try visitor.former("content", &content, as: OptionalForm<EntryContentForm>.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    let serial = state.partitioning.serial(of: entry)
    state.remember(serial, state.time.content(of: serial), header)
    state.time.leave(serial, lsn)
    state.time.entries[serial].isDeleted = true
    state.time.entries[serial].version += 1
    state.time.entries[serial].lsn = lsn
    state.time.noteImpersonated(header, of: serial)
  }
}

enum EntryContentForm: FieldForm {
  static func write(_ value: EntryContent, to writer: inout ByteWriter) { value.encode(&writer) }
  static func read(from reader: inout ByteReader) throws(CodingError) -> EntryContent {
    try EntryContent(from: &reader)
  }

  static func shown(
    _ name: String, old: EntryContent?, new: EntryContent?, in directory: Directory?
  ) -> [ChangeText.Field] {
    func compare(_ name: String, _ text: (EntryContent) -> String) -> [ChangeText.Field] {
      let (before, after) = (old.map(text), new.map(text))
      return before ?? "" == after ?? "" ? [] : [ChangeText.Field(name: name, old: before, new: after)]
    }
    return compare("start") { TimeText.text(of: $0.start) } + compare("end") { TimeText.text(of: $0.end) }
      + compare("project", \.project) + compare("note", \.note)
  }
}

extension PartitionState {
  mutating func add(
    _ id: EntryID, of user: Int, _ workspace: WorkspaceID, _ content: EntryContent, startedBy: Author,
    as startedAs: UserID?, _ header: RecordHeader, _ lsn: LSN
  ) {
    precondition(content.end >= content.start, "an entry that ends before it starts")
    let serial = partitioning.serial(of: id)
    let contact = Int(people.users[user].contact)
    var row = EntryRow()
    row.lsn = lsn
    row.created = header.time
    row.start = content.start
    row.end = content.end
    row.contact = UInt32(contact)
    row.user = UInt32(user)
    row.version = 1
    row.workspace = workspace
    time.entries.put(row, at: serial)
    time.enter(serial)
    var packed = ByteWriter()
    packed.textField(EntryTag.project, content.project)
    packed.textField(EntryTag.note, content.note)
    packed.shortField(EntryTag.startedBy) { startedBy.encode(&$0) }
    packed.shortField(EntryTag.stoppedBy) { header.author.encode(&$0) }
    packed.textField(EntryTag.reason, header.reason)
    if let startedAs { packed.shortField(EntryTag.startedAs) { $0.id(startedAs) } }
    packed.withBytes { time.entries.setDetails(of: serial, $0) }
    time.noteImpersonated(header, of: serial)
  }

  /// Stores the version of an entry before a correction.
  fileprivate mutating func remember(_ serial: Int, _ content: EntryContent, _ header: RecordHeader) {
    time.history[UInt32(serial), default: []].append(
      EntryVersion(
        version: time.entries[serial].version, time: header.time, by: header.author, reason: header.reason,
        content: content, isDeleted: time.entries[serial].isDeleted))
  }
}
