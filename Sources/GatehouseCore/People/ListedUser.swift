/// Reads the fields of one user in its partition.
public struct ListedUser: ListedPerson {
  public let cell: HeldPartition
  public let serial: Int
  private let viewer: ListViewer

  public init(_ cell: HeldPartition, _ serial: Int, _ viewer: ListViewer) {
    self.cell = cell
    self.serial = serial
    self.viewer = viewer
  }

  var directory: Directory { viewer.directory }

  var reference: UserReference { UserReference(id: id, cell: cell, serial: serial) }

  private var card: UserCard {
    UserCard(reference, viewer.seen(of: reference), viewer.sides, directory, at: viewer.now)
  }

  public var contact: Int { Int(cell.state.people.users[serial].contact) }

  public var id: UserID { cell.state.id(serial) }

  public var rawID: UInt64 { id.raw }

  public static let fields = ListField.all.filter { $0.field != .user }
  public static let standardFields: [ListField] = [
    .id, .contact, .username, .ofContact(.first), .ofContact(.last), .ofContact(.email), .status,
  ]

  public static let identity = ListField.id

  public static func created(_ serial: Int, in cell: HeldPartition) -> Milliseconds? {
    cell.state.people.users[serial].isUsed ? cell.state.people.users[serial].created : nil
  }

  public static func last(in cell: HeldPartition) -> Int { cell.state.people.users.last }

  public static func facets(in cell: HeldPartition) -> FacetIndex { cell.state.people.userFacets }
  public static let hasExactFacets = true

  public static func listed(in cell: HeldPartition) -> Int? { cell.state.people.liveUsers }

  public static func row(ofContact serial: Int, in cell: HeldPartition) -> Int? {
    let user = Int(cell.state.people.contacts[serial].user)
    return user == 0 ? nil : user
  }

  public func isListed(includingDeleted: Bool) -> Bool {
    let row = cell.state.people.users[serial]
    guard row.isUsed, includingDeleted || row.status != .deleted else { return false }
    return viewer.isFree || viewer.shows(reference)
  }

  public func customText(_ field: CustomListField) -> String {
    guard viewer.isFree || viewer.seen(of: reference).contains(field.workspace),
      reference.isMember(of: field.workspace)
    else { return "" }
    return cell.state.people.custom(field.id, of: contact)
  }

  /// The value of a number, time, day or flag field; nil if it is not set.
  public func number(_ field: ListField) -> Int64? {
    let row = cell.state.people.users[serial]
    switch field {
    case .id, .user: return Int64(id.raw)
    case .contact: return Int64((cell.state.id(contact) as ContactID).raw)
    case .sessions: return Int64(card.sessions(at: viewer.now))
    case .version: return Int64(viewer.isFree ? row.version : card.version(viewer.digest))
    case .created: return row.created
    case .lastLogin:
      let last = card.lastLogin
      return last == 0 ? nil : last
    case .lastChange:
      guard viewer.isFree else { return card.lastChange }
      let changed = cell.state.people.contacts[contact].changed
      return changed > 0 ? changed : nil
    case .ofContact(let field):
      let day =
        field == .hired ? cell.state.people.contacts[contact].hired : cell.state.people.contacts[contact].released
      return day == .min ? nil : Int64(day)
    case .ofUser(let field): return field.flag.map { row.flags.contains($0) && card.showsLoginFields ? 1 : 0 }
    case .custom(let field): return customNumber(field)
    default: return nil
    }
  }

  /// The day on which a point in time falls for this person.
  ///
  /// - Parameter other: the day that the result will be compared with. If it is far off, the person's zone makes no
  ///   difference, and the day in UTC is returned without a look-up.
  public func day(of time: Milliseconds, near other: Int32) -> Int32 {
    let possible = Days.possible(at: time)
    guard possible.contains(other) else { return possible.lowerBound + 1 }
    return cell.state.people.zone(ofContact: contact, elseOf: card.showing, directory.zones).zone.rules.day(at: time)
  }

  /// Calls `body` with the text of a field; empty if it is not set.
  public func withText<Result>(_ field: ListField, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
    switch field {
    case .username:
      return cell.state.people.users.withDetails(of: serial) {
        body(Details.field(UserTag.username, in: $0) ?? nothing)
      }
    case .status:
      let name = cell.state.people.users[serial].status.name
      return body(UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    case .ofContact(let field) where !field.isDay:
      return cell.state.people.contacts.withDetails(of: contact) {
        body(Details.field(field.rawValue, in: $0) ?? nothing)
      }
    case .ofUser(let field) where field.flag == nil:
      guard viewer.isFree || card.showsLoginFields else { return body(nothing) }
      return cell.state.people.users.withDetails(of: serial) { body(Details.field(field.rawValue, in: $0) ?? nothing) }
    case .custom(let field):
      var text = customText(field)
      return text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
    default:
      var text =
        switch field {
        case .name: card.fullName
        case .home: card.home.map { directory.workspace($0).name } ?? ""
        default: ""
        }
      return text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
    }
  }

  /// Whether the user has a role in a scope that the viewer sees.
  public func hasRole(_ role: Role) -> Bool {
    // Fast path: the row's role bits rule out most users.
    guard cell.state.people.users[serial].roles.mayContain(role) else { return false }
    return viewer.isFree && role.number < 16 || card.grants.contains { $0.role == role }
  }

  public func hasRole(_ role: Role, over workspace: WorkspaceID) -> Bool {
    guard cell.state.people.users[serial].roles.mayContain(role) else { return false }
    return card.grants.contains {
      $0.role == role && $0.scope == .workspace(workspace) && $0.isInForce(at: viewer.now)
    }
  }

  /// Whether the user is a member of a workspace that the viewer sees.
  public func isMember(of workspace: WorkspaceID) -> Bool {
    reference.isMember(of: workspace, at: viewer.now)
      && (viewer.isFree || viewer.seen(of: reference).contains(workspace))
  }

  public func hasMainAccount(_ account: Account) -> Bool {
    isMember(of: account.workspace)
      && Employers(reference, in: directory, at: viewer.now).mainAccount(in: account.workspace) == account.id
  }

  public func isEmployed(by scope: EmployerScope, in workspace: WorkspaceID) -> Bool {
    isMember(of: workspace) && Employers(reference, in: directory, at: viewer.now).meet(scope, in: workspace)
  }

  /// Whether the user may enter a product that the viewer sees.
  public func mayEnter(_ product: ProductID) -> Bool {
    guard let access = cell.state.people.access(of: serial, to: product), access.isOpen(at: viewer.now),
      let workspace = directory.product(product)?.workspace, !reference.isShutOut(of: workspace, at: viewer.now)
    else { return false }
    return viewer.isFree || viewer.seen(of: reference).contains(product, of: workspace)
  }

  /// The words of a multi-word field: enabled products, licences as `product:type`, roles, workspaces.
  public func words(_ field: ListField) -> [String] {
    switch field {
    case .product:
      return card.accesses.compactMap { access in
        guard mayEnter(access.product) else { return nil }
        return directory.product(access.product).map { directory.productName($0) }
      }
    case .licence:
      return card.accesses.compactMap { access in
        guard let product = directory.product(access.product), let type = product.licenceName(access.licence) else {
          return nil
        }
        return "\(directory.productName(product)):\(type)"
      }
    case .role: return card.roles.map { directory.name(of: $0) }
    case .mainRole: return card.mainRole.map { [directory.name(of: $0)] } ?? []
    case .workspace: return card.workspaces.filter(isMember).map { directory.workspace($0).name }
    case .account: return card.mainAccounts.map { directory.accountName($0) }
    case .employer: return card.accounts.map { directory.accountName($0) }
    case .group: return card.groups.map { directory.groupName($0) }
    default: return []
    }
  }
}
