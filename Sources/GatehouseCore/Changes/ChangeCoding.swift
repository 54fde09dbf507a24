/// The codes that stand for the cases of `Change` in the log. A code is never given a second meaning.
private enum ChangeCode: UInt8 {
  case contactCreated = 1
  case contactSet
  case userCreated
  case userSet
  case userRenamed
  case statusSet
  case accessSet
  case roleGranted
  case roleRevoked
  case workspaceJoined
  case workspaceLeft
  case mailQueued
  case noted
  case sessionOpened = 20
  case sessionEnded
  case sessionSeen
  case timerStarted = 30
  case timerStopped
  case entryAdded
  case entryCorrected
  case entryDeleted
  case workspaceCreated = 40
  case workspaceSet
  case productCreated
  case poolSet
  case serviceCreated
  case serviceDeleted
  case answerKept = 60
  case snapshotTaken = 70
  case logArchived
  case clockSet
}

extension ByteWriter {
  fileprivate mutating func code(_ code: ChangeCode) { byte(code.rawValue) }

  public mutating func id<Entity>(_ id: Identifier<Entity>) { varint(id.raw) }

  fileprivate mutating func access(_ access: ProductAccess?) { varint(access?.packed ?? 0) }
}

extension ByteReader {
  public mutating func id<Entity>() throws(CodingError) -> Identifier<Entity> { Identifier(raw: try varint()) }

  fileprivate mutating func access() throws(CodingError) -> ProductAccess? {
    let packed = try varint()
    guard packed >> 48 == 0 else { throw failure("access to a product that cannot be") }
    return packed == 0 ? nil : ProductAccess(packed: packed)
  }

  /// A value of an enumeration that is stored by its raw value.
  public mutating func choice<T: RawRepresentable>(_ type: T.Type = T.self) throws(CodingError) -> T
  where T.RawValue == UInt8 {
    guard let value = T(rawValue: try byte()) else { throw failure("an unknown value of \(T.self)") }
    return value
  }
}

extension Change {
  public func encode(_ writer: inout ByteWriter) {
    switch self {
    case .contactCreated(let id, let fields):
      writer.code(.contactCreated)
      writer.id(id)
      writer.list(fields) { writer, text in
        writer.byte(text.field.rawValue)
        writer.text(text.text)
      }
    case .contactSet(let id, let field, let old, let new):
      writer.code(.contactSet)
      writer.id(id)
      writer.byte(field.rawValue)
      writer.text(old)
      writer.text(new)
    case .userCreated(let created):
      writer.code(.userCreated)
      writer.id(created.user)
      writer.id(created.contact)
      writer.text(created.username)
      writer.byte(created.status.rawValue)
      writer.list(created.workspaces) { $0.varint($1) }
      writer.list(created.fields) { writer, text in
        writer.byte(text.field.rawValue)
        writer.text(text.text)
      }
    case .userSet(let id, let field, let old, let new):
      writer.code(.userSet)
      writer.id(id)
      writer.byte(field.rawValue)
      writer.text(old)
      writer.text(new)
    case .userRenamed(let id, let old, let new):
      writer.code(.userRenamed)
      writer.id(id)
      writer.text(old)
      writer.text(new)
    case .statusSet(let id, let old, let new):
      writer.code(.statusSet)
      writer.id(id)
      writer.byte(old.rawValue)
      writer.byte(new.rawValue)
    case .accessSet(let id, let old, let new):
      writer.code(.accessSet)
      writer.id(id)
      writer.access(old)
      writer.access(new)
    case .roleGranted(let id, let grant):
      writer.code(.roleGranted)
      writer.id(id)
      writer.grant(grant)
    case .roleRevoked(let id, let grant):
      writer.code(.roleRevoked)
      writer.id(id)
      writer.grant(grant)
    case .workspaceJoined(let id, let workspace):
      writer.code(.workspaceJoined)
      writer.id(id)
      writer.varint(workspace)
    case .workspaceLeft(let id, let workspace):
      writer.code(.workspaceLeft)
      writer.id(id)
      writer.varint(workspace)
    case .noted(let id, let note):
      writer.code(.noted)
      writer.id(id)
      note.encode(&writer)
    case .mailQueued(let mail):
      writer.code(.mailQueued)
      mail.encode(&writer)
    case .sessionOpened(let opened):
      writer.code(.sessionOpened)
      opened.encode(&writer)
    case .sessionEnded(let id, let user, let end, let actorSession):
      writer.code(.sessionEnded)
      writer.id(id)
      writer.id(user)
      writer.byte(end.rawValue)
      writer.varint(actorSession.map { $0.raw + 1 } ?? 0)
    case .sessionSeen(let id, let user, let time):
      writer.code(.sessionSeen)
      writer.id(id)
      writer.id(user)
      writer.signed(time)
    case .timerStarted(let started):
      writer.code(.timerStarted)
      writer.id(started.user)
      writer.varint(started.workspace)
      writer.signed(started.start)
      writer.text(started.project)
      writer.text(started.note)
    case .timerStopped(let id, let workspace, let entry, let end):
      writer.code(.timerStopped)
      writer.id(id)
      writer.varint(workspace)
      writer.id(entry)
      writer.signed(end)
    case .entryAdded(let id, let user, let workspace, let content):
      writer.code(.entryAdded)
      writer.id(id)
      writer.id(user)
      writer.varint(workspace)
      content.encode(&writer)
    case .entryCorrected(let id, let user, let old, let new):
      writer.code(.entryCorrected)
      writer.id(id)
      writer.id(user)
      old.encode(&writer)
      new.encode(&writer)
    case .entryDeleted(let id, let user):
      writer.code(.entryDeleted)
      writer.id(id)
      writer.id(user)
    case .workspaceCreated(let id, let name, let plan):
      writer.code(.workspaceCreated)
      writer.varint(id)
      writer.text(name)
      writer.text(plan)
    case .workspaceSet(let id, let key, let old, let new):
      writer.code(.workspaceSet)
      writer.varint(id)
      writer.text(key)
      writer.text(old)
      writer.text(new)
    case .productCreated(let id, let workspace, let name):
      writer.code(.productCreated)
      writer.varint(id)
      writer.varint(workspace)
      writer.text(name)
    case .poolSet(let product, let type, let old, let new):
      writer.code(.poolSet)
      writer.varint(product)
      writer.text(type)
      writer.optional(old) { $0.varint($1) }
      writer.varint(new)
    case .serviceCreated(let id, let name, let rights, let secret):
      writer.code(.serviceCreated)
      writer.varint(id)
      writer.text(name)
      writer.byte(rights.rawValue)
      writer.digest(secret)
    case .serviceDeleted(let id):
      writer.code(.serviceDeleted)
      writer.varint(id)
    case .answerKept(let answer):
      writer.code(.answerKept)
      answer.encode(&writer)
    case .snapshotTaken(let lsn):
      writer.code(.snapshotTaken)
      writer.varint(lsn)
    case .logArchived(let first, let last, let hash):
      writer.code(.logArchived)
      writer.varint(first)
      writer.varint(last)
      writer.text(hash)
    case .clockSet(let old, let new):
      writer.code(.clockSet)
      writer.signed(old)
      writer.signed(new)
    }
  }

  public init(from reader: inout ByteReader) throws(CodingError) {
    switch try reader.choice(ChangeCode.self) {
    case .contactCreated:
      self = .contactCreated(
        try reader.id(),
        fields: try reader.list { (reader) throws(CodingError) in
          ContactText(try reader.choice(), try reader.text())
        })
    case .contactSet:
      self = .contactSet(try reader.id(), try reader.choice(), old: try reader.text(), new: try reader.text())
    case .userCreated:
      self = .userCreated(
        UserCreated(
          user: try reader.id(), contact: try reader.id(), username: try reader.text(), status: try reader.choice(),
          workspaces: try reader.list { (reader) throws(CodingError) in try reader.number() },
          fields: try reader.list { (reader) throws(CodingError) in
            UserText(try reader.choice(), try reader.text())
          }))
    case .userSet:
      self = .userSet(try reader.id(), try reader.choice(), old: try reader.text(), new: try reader.text())
    case .userRenamed: self = .userRenamed(try reader.id(), old: try reader.text(), new: try reader.text())
    case .statusSet: self = .statusSet(try reader.id(), old: try reader.choice(), new: try reader.choice())
    case .accessSet: self = .accessSet(try reader.id(), old: try reader.access(), new: try reader.access())
    case .roleGranted: self = .roleGranted(try reader.id(), try reader.grant())
    case .roleRevoked: self = .roleRevoked(try reader.id(), try reader.grant())
    case .workspaceJoined: self = .workspaceJoined(try reader.id(), try reader.number())
    case .workspaceLeft: self = .workspaceLeft(try reader.id(), try reader.number())
    case .noted: self = .noted(try reader.id(), try Note(from: &reader))
    case .mailQueued: self = .mailQueued(try Mail(from: &reader))
    case .sessionOpened: self = .sessionOpened(try SessionOpened(from: &reader))
    case .sessionEnded:
      let id: SessionID = try reader.id()
      let user: UserID = try reader.id()
      let end: SessionEnd = try reader.choice()
      let actorSession = try reader.varint()
      self = .sessionEnded(id, user, end, actorSession: actorSession == 0 ? nil : SessionID(raw: actorSession - 1))
    case .sessionSeen: self = .sessionSeen(try reader.id(), try reader.id(), try reader.signed())
    case .timerStarted:
      self = .timerStarted(
        TimerStarted(
          user: try reader.id(), workspace: try reader.number(), start: try reader.signed(),
          project: try reader.text(), note: try reader.text()))
    case .timerStopped:
      self = .timerStopped(
        try reader.id(), try reader.number(), entry: try reader.id(), end: try reader.signed())
    case .entryAdded:
      self = .entryAdded(
        try reader.id(), try reader.id(), try reader.number(), try EntryContent(from: &reader))
    case .entryCorrected:
      self = .entryCorrected(
        try reader.id(), try reader.id(), old: try EntryContent(from: &reader),
        new: try EntryContent(from: &reader))
    case .entryDeleted: self = .entryDeleted(try reader.id(), try reader.id())
    case .workspaceCreated:
      self = .workspaceCreated(try reader.number(), name: try reader.text(), plan: try reader.text())
    case .workspaceSet:
      self = .workspaceSet(
        try reader.number(), key: try reader.text(), old: try reader.text(), new: try reader.text())
    case .productCreated: self = .productCreated(try reader.number(), try reader.number(), name: try reader.text())
    case .poolSet:
      self = .poolSet(
        try reader.number(), type: try reader.text(),
        old: try reader.optional { (reader) throws(CodingError) in try reader.number() }, new: try reader.number())
    case .serviceCreated:
      self = .serviceCreated(
        try reader.number(), name: try reader.text(), ServiceRights(rawValue: try reader.byte()),
        secret: try reader.digest())
    case .serviceDeleted: self = .serviceDeleted(try reader.number())
    case .answerKept: self = .answerKept(try KeptAnswer(from: &reader))
    case .snapshotTaken: self = .snapshotTaken(try reader.varint())
    case .logArchived:
      self = .logArchived(first: try reader.varint(), last: try reader.varint(), hash: try reader.text())
    case .clockSet: self = .clockSet(old: try reader.signed(), new: try reader.signed())
    }
  }
}

extension SessionOpened {
  public func encode(_ writer: inout ByteWriter) {
    writer.id(session)
    writer.id(user)
    writer.digest(token)
    writer.varint(product)
    writer.varint(workspace)
    writer.signed(expires)
    writer.varint(idleSeconds)
    writer.flag(isBound)
    writer.optional(impersonation) { $1.encode(&$0) }
  }

  public init(from reader: inout ByteReader) throws(CodingError) {
    session = try reader.id()
    user = try reader.id()
    token = try reader.digest()
    product = try reader.number()
    workspace = try reader.number()
    expires = try reader.signed()
    idleSeconds = try reader.number()
    isBound = try reader.flag()
    impersonation = try reader.optional { (reader) throws(CodingError) in try Impersonation(from: &reader) }
  }
}

extension Note {
  public func encode(_ writer: inout ByteWriter) {
    switch self {
    case .billingAccepted(let workspace):
      writer.byte(1)
      writer.varint(workspace)
    case .productsTouched(let products):
      writer.byte(2)
      writer.list(products) { $0.varint($1) }
    }
  }

  public init(from reader: inout ByteReader) throws(CodingError) {
    switch try reader.byte() {
    case 1: self = .billingAccepted(try reader.number())
    case 2: self = .productsTouched(try reader.list { (reader) throws(CodingError) in try reader.number() })
    default: throw reader.failure("an unknown kind of note")
    }
  }
}

extension Mail {
  public func encode(_ writer: inout ByteWriter) {
    writer.id(id)
    writer.id(user)
    writer.byte(kind.rawValue)
    writer.text(recipient)
    writer.text(message)
  }

  public init(from reader: inout ByteReader) throws(CodingError) {
    id = try reader.id()
    user = try reader.id()
    kind = try reader.choice()
    recipient = try reader.text()
    message = try reader.text()
  }
}

extension KeptAnswer {
  public func encode(_ writer: inout ByteWriter) {
    writer.varint(partition)
    writer.digest(key)
    writer.digest(arguments)
    reply.encode(&writer)
  }

  public init(from reader: inout ByteReader) throws(CodingError) {
    partition = try reader.number()
    key = try reader.digest()
    arguments = try reader.digest()
    reply = try Reply(from: &reader)
  }
}

extension Reply {
  /// Writes the reply. Whoever keeps a reply takes what is secret out of it before (`Turn.decideOnce`).
  public func encode(_ writer: inout ByteWriter) {
    writer.list(nodes) { writer, node in
      writer.byte(node.kind.rawValue)
      switch node.kind {
      case .null: break
      case .simple, .error, .text, .verbatim, .secret: writer.text(text(of: node))
      case .integer, .double: writer.signed(node.value)
      case .array, .map: writer.varint(Int(node.count))
      }
    }
  }

  public init(from reader: inout ByteReader) throws(CodingError) {
    self.init()
    for _ in 0..<(try reader.count()) {
      let kind: Kind = try reader.choice()
      switch kind {
      case .simple: simple(try reader.text())
      case .error: error(try reader.text())
      case .text: text(try reader.text())
      case .verbatim: verbatim(try reader.text())
      case .secret: secret(try reader.text())
      case .null: null()
      case .integer: integer(try reader.signed())
      case .double: double(Double(bitPattern: UInt64(bitPattern: try reader.signed())))
      case .array: array(try reader.number())
      case .map: map(try reader.number())
      }
    }
  }
}
