/// A contact at an account, from one day to another (L8).
public struct Employment: Sendable, Equatable, BitwiseCopyable {
  public var account: AccountID
  /// The account's, so that what belongs to another workspace can be told without the directory.
  public var workspace: WorkspaceID
  private var first = Int32.min
  private var last = Int32.max
  /// One of the employments in each workspace is the main one.
  public var isMain: Bool

  public init(
    _ account: AccountID, of workspace: WorkspaceID, from: Int32? = nil, to: Int32? = nil, isMain: Bool = false
  ) {
    self.account = account
    self.workspace = workspace
    first = from ?? .min
    last = to ?? .max
    self.isMain = isMain
  }

  /// The first day; nil for always.
  public var from: Int32? {
    get { first == .min ? nil : first }
    set { first = newValue ?? .min }
  }

  /// The last day, which counts; nil where it has no end.
  public var to: Int32? {
    get { last == .max ? nil : last }
    set { last = newValue ?? .max }
  }

  public func contains(_ day: Int32) -> Bool { day >= first && day <= last }

  func hasEnded(on day: Int32) -> Bool { last < day }

  /// When the last day is over in all time zones; nil where it has no end.
  var overEverywhere: Milliseconds? { to.map { (Milliseconds($0) + 2) * Days.milliseconds } }

  /// A contact's employments after one has changed; nil stands for none. A new main one takes over from the old one of
  /// its workspace.
  static func list(_ employments: [Employment], with new: Employment?, insteadOf old: Employment?) -> [Employment] {
    var list = employments
    if let new, new.isMain {
      for index in list.indices where list[index].workspace == new.workspace { list[index].isMain = false }
    }
    if let account = (new ?? old)?.account, let index = list.firstIndex(where: { $0.account == account }) {
      if let new { list[index] = new } else { list.remove(at: index) }
    } else if let new {
      list.append(new)
    }
    return list
  }
}

extension Turn {
  /// Employs a contact in another way than before, or not at all. Of the employment from which a new main one takes the
  /// mark the trail says so, too (L19).
  ///
  /// - Parameter held: the contact's employments before the decision.
  func setEmployment(of contact: ContactID, from old: Employment?, to new: Employment?, among held: [Employment]) {
    if let new, new.isMain, old?.isMain != true {
      let now = changes.compactMap { $0.as(EmploymentSet.self) }.filter { $0.contact == contact }
        .reduce(held) { Employment.list($0, with: $1.new, insteadOf: $1.old) }
      for former in now where former.isMain && former.workspace == new.workspace && former.account != new.account {
        var other = former
        other.isMain = false
        emit(EmploymentSet(contact, old: former, new: other))
      }
    }
    emit(EmploymentSet(contact, old: old, new: new))
  }
}

// MARK: Coding

extension ByteWriter {
  mutating func employment(_ employment: Employment) {
    let marks = (employment.isMain ? 1 : 0) | (employment.from == nil ? 0 : 2) | (employment.to == nil ? 0 : 4)
    varint(UInt64(employment.account) << 3 | UInt64(marks))
    varint(employment.workspace)
    if let from = employment.from { signed(Int64(from)) }
    if let to = employment.to { signed(Int64(to)) }
  }
}

extension ByteReader {
  mutating func employment() throws(CodingError) -> Employment {
    let packed = try varint()
    guard let account = AccountID(exactly: packed >> 3) else { throw failure("an account that cannot be") }
    let workspace = try number(WorkspaceID.self)
    let from = packed & 2 == 0 ? nil : try DayForm.read(from: &self)
    let to = packed & 4 == 0 ? nil : try DayForm.read(from: &self)
    return Employment(account, of: workspace, from: from, to: to, isMain: packed & 1 != 0)
  }
}

/// An employment that a change makes, alters or takes away; nil for none.
enum EmploymentForm: FieldForm {
  static func write(_ value: Employment?, to writer: inout ByteWriter) {
    writer.optional(value) { $0.employment($1) }
  }

  static func read(from reader: inout ByteReader) throws(CodingError) -> Employment? {
    try reader.optional { (reader) throws(CodingError) in try reader.employment() }
  }

  /// The account, and what of the employment changes.
  static func shown(
    _ name: String, old: Employment??, new: Employment??, in directory: Directory?
  ) -> [ChangeText.Field] {
    let (old, new) = (old ?? nil, new ?? nil)
    let account = AccountForm.shown(
      "account", old: new == nil ? old?.account : nil, new: new?.account, in: directory)
    func compare(_ name: String, _ text: (Employment) -> String?) -> [ChangeText.Field] {
      let (before, after) = (old.flatMap(text), new.flatMap(text))
      return before == after ? [] : [ChangeText.Field(name: name, old: before, new: after)]
    }
    return account + compare("from") { $0.from.map(TimeText.text(ofDay:)) }
      + compare("to") { $0.to.map(TimeText.text(ofDay:)) } + compare("main") { $0.isMain ? "1" : "0" }
  }

  static func addKeys(of value: Employment?, to keys: inout [UInt64]) {
    if let value { WorkspaceForm.addKeys(of: value.workspace, to: &keys) }
  }

  static func names(_ value: Employment?, _ entity: NamedEntity) -> Bool {
    value.map { AccountForm.names($0.account, entity) } ?? false
  }
}

/// A contact is employed at an account, on other days or in another way than before, or never was; the other employments
/// stay as they are, but for the mark of the main one.
public struct EmploymentSet: PartitionChange {
  public static var code: UInt8 { 80 }
  public static var name: String { "employment-set" }

  public var contact = ContactID.none
  public var old: Employment?
  public var new: Employment?

  public init() {}

  public init(_ contact: ContactID, old: Employment?, new: Employment?) {
    self.contact = contact
    self.old = old
    self.new = new
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&contact, as: ContactForm.self)
    try visitor.change("employment", old: &old, new: &new, as: EmploymentForm.self)
  }

  public var concern: Concern { .contact(contact) }

  public func apply(to person: inout PersonFacts) {
    if person.contact == contact {
      person.employments = Employment.list(person.employments, with: new, insteadOf: old)
    }
  }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    let serial = state.partitioning.serial(of: contact)
    let list = Employment.list(state.people.employments(of: serial), with: new, insteadOf: old)
    state.people.setEmployments(of: serial, list, lsn)
    let user = Int(state.people.contacts[serial].user)
    if user != 0 { state.people.watchEnds(of: user, after: header.time) }
  }
}
