/// A new value of an attribute that a provisioning system keeps of a user in a workspace; an empty one removes it.
public struct ProvisionedSet: PartitionChange {
  public static var code: UInt8 { 130 }
  public static var name: String { "provisioned-set" }

  public var user = UserID.none
  /// Who else sees it: the trail of this workspace shows the change.
  public var workspace: WorkspaceID = 0
  public var attribute = ""
  public var old = ""
  public var new = ""

  public init() {}

  public init(_ user: UserID, _ workspace: WorkspaceID, _ attribute: String, old: String, new: String) {
    self.user = user
    self.workspace = workspace
    self.attribute = attribute
    self.old = old
    self.new = new
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&user, as: UserForm.self)
    try visitor.field("workspace", &workspace, as: WorkspaceForm.self)
    try visitor.field("attribute", &attribute, as: TextForm.self)
    try visitor.change("value", old: &old, new: &new, as: FilledTextForm.self)
  }

  public var person: PersonSubject? { .user(user) }

  public mutating func forget() { (attribute, old, new) = ("", "", "") }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    let serial = state.partitioning.serial(of: user)
    // Read after its keys were destroyed, it says nothing.
    if !attribute.isEmpty {
      state.setProvisioned(ProvisionedValue(workspace: workspace, name: attribute, text: new), of: serial)
    }
    state.people.touch(user: serial, lsn)
    state.people.noteChange(of: Int(state.people.users[serial].contact), by: workspace)
  }
}
