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

  // The words can name anybody.
  public var person: PersonSubject? { nil }
  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    state.approvals.add(request, serial: state.partitioning.serial(of: request.id))
  }
}

/// A request is approved, in the record of what it changes, or refused.
public struct ApprovalDecided: PartitionChange {
  public static var code: UInt8 { 29 }
  public static var name: String { "approval-decided" }

  public var approval = ApprovalID.none
  /// Who had asked for it; who decided is the actor of the record.
  public var requester = UserID.none
  public var workspace: WorkspaceID = 0
  public var isGranted = false
  /// What was asked for, and why: the record itself is that of the decision.
  public var command = ""
  public var reason = ""

  public init() {}

  init(_ request: ApprovalRequest, isGranted: Bool) {
    approval = request.id
    requester = request.actor
    workspace = request.workspace
    self.isGranted = isGranted
    command = request.command
    reason = request.reason
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&approval, as: ApprovalForm.self)
    try visitor.field("requested-by", &requester, as: UserForm.self)
    try visitor.field("workspace", &workspace, as: WorkspaceForm.self)
    try visitor.field("granted", &isGranted, as: FlagForm.self)
    try visitor.later()
    try visitor.field("command", &command, as: FilledTextForm.self)
    try visitor.field("reason", &reason, as: FilledTextForm.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    state.approvals.open[approval] = nil
  }
}
