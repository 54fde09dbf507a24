/// A command is kept until a second person has approved it.
public struct ApprovalRequested: PartitionChange {
  public static var code: UInt8 { 28 }
  public static var name: String { "approval-requested" }

  public var request = ApprovalRequest()

  public init() {}

  init(_ request: ApprovalRequest) { self.request = request }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try request.visit(&visitor)
  }

  public var person: PersonSubject? {
    // Requests of version 1 of their form do not say whom they are about.
    .people(request.users, request.contacts, isAboutNew: request.isAboutNew || request.changes.isEmpty)
  }

  public var sealing: SealedUnder? { request.isAboutNew ? .one(.approval(request.id)) : person?.sealing }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    if state.isMine(request.id) {
      state.forgotten.add(state.approvals.add(request, serial: state.partitioning.serial(of: request.id)), lsn)
    } else {
      state.approvals.noteElsewhere(request)
    }
  }
}

/// A request is approved, in the record of what it changes, or refused.
public struct ApprovalDecided: PartitionChange {
  public static var code: UInt8 { 29 }
  public static var name: String { "approval-decided" }

  public var approval = ApprovalID.none
  /// Who had asked for it: the actor of the record, if it was approved.
  public var requester = UserID.none
  public var workspace: WorkspaceID = 0
  public var isGranted = false
  /// What was asked for, and why: the record itself is that of the decision.
  public var command = ""
  public var reason = ""
  /// Who approved it; nil if it was refused, by the actor of the record, or ended because a right was lost.
  public var approver: UserID?
  /// What the approver has said to it.
  public var approverReason = ""
  /// See `ApprovalRequest.places`.
  public var places: [WorkspaceID] = []

  public init() {}

  /// - Parameter approver: nil if it is refused.
  init(_ request: ApprovalRequest, approver: UserID?, saying approverReason: String = "") {
    approval = request.id
    requester = request.actor
    workspace = request.workspace
    command = request.command
    reason = request.reason
    isGranted = approver != nil
    self.approver = approver
    self.approverReason = approverReason
    places = request.places
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&approval, as: ApprovalForm.self)
    try visitor.field("requested-by", &requester, as: RequesterForm.self)
    try visitor.field("workspace", &workspace, as: WorkspaceForm.self)
    try visitor.field("granted", &isGranted, as: FlagForm.self)
    try visitor.later()
    try visitor.field("command", &command, as: FilledTextForm.self)
    try visitor.field("reason", &reason, as: FilledTextForm.self)
    try visitor.field("approved-by", &approver, as: ApproverForm.self)
    try visitor.field("approval-reason", &approverReason, as: FilledTextForm.self)
    try visitor.value(&places, as: ListForm<WorkspaceForm>.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    state.forgotten.add(state.approvals.end { $0.id == approval }, lsn)
    state.approvals.elsewhere[approval] = nil
  }
}

/// Who really asked for something, and may live in another partition than the one as whom it was asked. That partition
/// knows of the request, too, so that it ends with the rights of either.
enum RequesterForm: FieldForm {
  static func write(_ value: UserID, to writer: inout ByteWriter) { UserForm.write(value, to: &writer) }
  static func read(from reader: inout ByteReader) throws(CodingError) -> UserID { try UserForm.read(from: &reader) }
  static func text(_ value: UserID, in directory: Directory?) -> String? { UserForm.text(value, in: directory) }
  static func partition(_ value: UserID, _ partitioning: Partitioning) -> Int? { partitioning.partition(of: value) }
  static func addKeys(of value: UserID, to keys: inout [UInt64]) { UserForm.addKeys(of: value, to: &keys) }
  static func names(_ value: UserID, _ entity: NamedEntity) -> Bool { UserForm.names(value, entity) }
}

/// Who approved something. The record is found among what that user did, as it is among what the other did.
enum ApproverForm: FieldForm {
  private typealias Base = OptionalForm<UserForm>

  static func write(_ value: UserID?, to writer: inout ByteWriter) { Base.write(value, to: &writer) }
  static func read(from reader: inout ByteReader) throws(CodingError) -> UserID? { try Base.read(from: &reader) }
  static func text(_ value: UserID?, in directory: Directory?) -> String? { Base.text(value, in: directory) }

  static func addKeys(of value: UserID?, to keys: inout [UInt64]) {
    if let value { keys.append(RecordKey.ofActor(value)) }
  }
}

extension RecordPart {
  /// Whether one of these users did it, or approved it.
  public func isDone(byAny users: Set<UserID>) -> Bool {
    header.actor.map(users.contains) == true
      || changes.contains { $0.as(ApprovalDecided.self)?.approver.map(users.contains) == true }
  }
}
