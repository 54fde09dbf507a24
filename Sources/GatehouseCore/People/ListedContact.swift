/// Reads the fields of one contact in its partition.
public struct ListedContact: ListedPerson {
  private let contact: ContactReference
  private let viewer: ListViewer

  public init(_ cell: HeldPartition, _ serial: Int, _ viewer: ListViewer) {
    contact = ContactReference(id: cell.state.id(serial), cell: cell, serial: serial)
    self.viewer = viewer
  }

  public static let fields: [(name: String, field: ListField)] =
    [
      ("contact", .contact), ("name", .name), ("user", .user), ("username", .username), ("created", .created),
      ("workspace", .workspace), ("home", .home),
    ] + ContactField.allCases.map { ($0.name, .ofContact($0)) }

  public static let standardFields: [ListField] = [.contact, .name, .ofContact(.email), .user, .username]

  public static let identity = ListField.contact

  public static func created(_ serial: Int, in cell: HeldPartition) -> Milliseconds? {
    cell.state.people.contacts[serial].isUsed ? cell.state.people.contacts[serial].created : nil
  }

  public static func last(in cell: HeldPartition) -> Int { cell.state.people.contacts.last }

  public static func facets(in cell: HeldPartition) -> FacetIndex { cell.state.people.contactFacets }
  /// A contact that was merged into another has workspaces and is not listed.
  public static let hasExactFacets = false

  public static func listed(in cell: HeldPartition) -> Int? { nil }

  public static func row(ofContact serial: Int, in cell: HeldPartition) -> Int? { serial }

  public var rawID: UInt64 { contact.id.raw }

  public func isListed(includingDeleted: Bool) -> Bool {
    contact.row.isUsed && contact.cell.state.people.successor(ofContact: contact.serial) == nil
      && (viewer.isFree || viewer.shows(contact))
  }

  /// The home workspace, if the viewer sees it.
  private var home: WorkspaceID? {
    contact.home.flatMap { viewer.isFree || viewer.reach.contains($0) ? $0 : nil }
  }

  public func number(_ field: ListField) -> Int64? {
    switch field {
    case .contact: return Int64(contact.id.raw)
    case .user: return contact.user.map { Int64($0.id.raw) }
    case .created: return contact.row.created
    case .ofContact(let field):
      let day = field == .hired ? contact.row.hired : contact.row.released
      return day == .min ? nil : Int64(day)
    case .custom(let field): return customNumber(field)
    default: return nil
    }
  }

  public func day(of time: Milliseconds, near other: Int32) -> Int32 {
    let possible = Days.possible(at: time)
    guard possible.contains(other) else { return possible.lowerBound + 1 }
    let workspace = viewer.directory.workspace(home ?? mainWorkspace)
    return contact.cell.state.people.zone(ofContact: contact.serial, elseOf: workspace, viewer.directory.zones)
      .zone.rules.day(at: time)
  }

  public func withText<Result>(_ field: ListField, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    switch field {
    case .ofContact(let field) where !field.isDay:
      return contact.cell.state.people.contacts.withDetails(of: contact.serial) {
        body(Details.field(field.rawValue, in: $0) ?? UnsafeRawBufferPointer(start: nil, count: 0))
      }
    default:
      var text = text(field)
      return text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
    }
  }

  private func text(_ field: ListField) -> String {
    switch field {
    case .username: contact.user?.username ?? ""
    case .home: home.map { viewer.directory.workspace($0).name } ?? ""
    case .name: contact.name.text(format: viewer.directory.workspace(home ?? mainWorkspace).policies.nameFormat)
    case .custom(let field): customText(field)
    default: ""
    }
  }

  public func customText(_ field: CustomListField) -> String {
    guard viewer.isFree || viewer.reach.contains(field.workspace), contact.workspaces.contains(field.workspace) else {
      return ""
    }
    return contact.cell.state.people.custom(field.id, of: contact.serial)
  }

  public func words(_ field: ListField) -> [String] {
    guard field == .workspace else { return [] }
    return contact.workspaces.filter { viewer.isFree || viewer.reach.contains($0) }.map {
      viewer.directory.workspace($0).name
    }
  }

  public func isMember(of workspace: WorkspaceID) -> Bool {
    contact.workspaces.contains(workspace) && (viewer.isFree || viewer.reach.contains(workspace))
  }

  // Fields that only logins have are not in this list.
  public func hasRole(_ role: Role) -> Bool { false }
  public func hasRole(_ role: Role, over workspace: WorkspaceID) -> Bool { false }
  public func mayEnter(_ product: ProductID) -> Bool { false }
  public func hasMainAccount(_ account: Account) -> Bool { false }
  public func isEmployed(by scope: EmployerScope, in workspace: WorkspaceID) -> Bool { false }
}
