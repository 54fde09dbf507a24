/// One `WHERE field op value`.
public struct UserCondition: Sendable {
  public enum Operator: String, Sendable, CaseIterable {
    case equal = "="
    case notEqual = "!="
    case less = "<"
    case greater = ">"
    case atMost = "<="
    case atLeast = ">="
    case hasPrefix = "^="
    case contains = "~="

    fileprivate var isOrder: Bool {
      switch self {
      case .less, .greater, .atMost, .atLeast: true
      default: false
      }
    }
  }

  /// How texts are compared.
  private enum Folding: Sendable {
    /// Without case and accents, as searches do.
    case search
    /// Without case, as names are.
    case name

    @inline(__always)
    func with<Result>(_ text: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
      switch self {
      case .search: SearchText.with(text, body)
      case .name: FoldedText.with(text, body)
      }
    }

    func form(_ text: String) -> ContiguousArray<UInt8> {
      var text = text
      return text.withUTF8 { with(UnsafeRawBufferPointer($0)) { ContiguousArray($0) } }
    }
  }

  /// The right-hand side of a comparison.
  private enum Value: Sendable {
    /// nil means not set.
    case number(Int64?)
    /// A day to compare times with: each time counts as its day in the user's zone.
    case day(Int32)
    /// A point in time to compare days with: it counts as its day in each user's zone.
    case moment(Milliseconds)
    /// In the form in which texts are compared.
    case text(ContiguousArray<UInt8>)
    case product(ProductID)
    case role(Role)
    case workspace(WorkspaceID)
    /// The main account (L8).
    case mainAccount(Account)
    /// Somebody who employs the user, or an account of a group (L20).
    case employers(EmployerScope, in: WorkspaceID)
  }

  public let field: ListField
  private let comparison: Operator
  private let folding: Folding
  /// Over which workspace a role is; nil for any scope.
  private let place: WorkspaceID?
  private let value: Value

  /// - Parameters:
  ///   - comparison: an operator; with one more `=`, such as `==` and `^==`, it tells accents apart.
  ///   - fields: those of the list.
  public init(
    _ field: String, _ comparison: String, _ value: String, _ turn: Turn,
    among fields: [(name: String, field: ListField)]
  ) throws(Halt) {
    let field = try turn.listField(field, among: fields)
    let tellsAccents = comparison.hasSuffix("==")
    guard let comparison = Operator(rawValue: tellsAccents ? String(comparison.dropLast()) : comparison),
      !tellsAccents || !comparison.isOrder
    else {
      let all = Operator.allCases.map(\.rawValue).joined(separator: " ")
      throw .refused(
        .syntax("no operator '\(comparison)'; operators are \(all), and == !== ^== ~==, which tell accents apart"))
    }
    // A username is somebody's alone, with its accents.
    let isIdentity = field == .username && (comparison == .equal || comparison == .notEqual)
    folding = tellsAccents || isIdentity ? .name : .search
    self.comparison = comparison
    // L13: who was merged has this name, too.
    if isIdentity, comparison == .equal, let kept = turn.namedPeople[value], kept.isByOtherName {
      (self.field, place, self.value) = (.user, nil, .number(Int64(kept.id.raw)))
      return
    }
    self.field = field
    let isOrder = comparison.isOrder
    let isExact = isOrder || comparison == .equal || comparison == .notEqual
    let (value, place) = try Self.parts(value, of: field, isExact: isExact, turn)
    self.place = place
    switch field.kind {
    case .number, .time, .day, .flag:
      guard isExact else { throw Self.unfit(field, comparison) }
      self.value = try Self.number(value, field)
    case .words:
      guard !isOrder else { throw Self.unfit(field, comparison) }
      self.value = try Self.word(value, field, isExact: isExact, in: place, folding, turn)
    case .text:
      if isExact { try Self.checkName(value, field, turn) }
      self.value = .text(folding.form(value))
    }
  }

  private static func unfit(_ field: ListField, _ comparison: Operator) -> Halt {
    .refused(.syntax("\(field.name) cannot be compared with \(comparison.rawValue)"))
  }

  private static func number(_ text: String, _ field: ListField) throws(Halt) -> Value {
    if text.isEmpty { return .number(nil) }
    switch field.kind {
    case .time:
      if let day = TimeText.dayNumber(text) { return .day(day) }
      return .number(try Turn.time(text, field.name, orDay: true))
    case .day:
      if let day = TimeText.dayNumber(text) { return .number(Int64(day)) }
      guard let moment = TimeText.time(text) else {
        throw .refused(.syntax("\(field.name) is compared with a day, such as 2026-03-01"))
      }
      return .moment(moment)
    default:
      guard let number = Int64(text.hasPrefix("#") ? String(text.dropFirst()) : text) else {
        throw .refused(.syntax("\(field.name) is compared with a number"))
      }
      return .number(number)
    }
  }

  /// Takes the workspace off a role: `role@workspace` is the role over that workspace, in force at this moment.
  private static func parts(
    _ text: String, of field: ListField, isExact: Bool, _ turn: Turn
  ) throws(Halt) -> (String, WorkspaceID?) {
    guard field == .role, isExact, let mark = text.lastIndex(of: "@") else { return (text, nil) }
    return (String(text[..<mark]), try turn.workspace(named: String(text[text.index(after: mark)...])).id)
  }

  /// Refuses a text that names nothing: a slip of the pen must not read as if nobody were found.
  private static func checkName(_ text: String, _ field: ListField, _ turn: Turn) throws(Halt) {
    switch field {
    case .status: _ = try turn.status(text)
    case .home where !text.isEmpty: _ = try turn.workspace(named: text)
    default: break
    }
  }

  /// Refuses a licence type that no product has which the caller knows.
  private static func checkLicence(_ text: String, _ folding: Folding, _ turn: Turn) throws(Halt) {
    let (known, wanted) = (turn.knownWorkspaces, folding.form(text))
    let isType = turn.directory.products.contains { product in
      known.contains(product)
        && product.pools.contains { pool in
          folding.form(pool.type) == wanted
            || folding.form("\(turn.directory.productName(product)):\(pool.type)") == wanted
        }
    }
    guard isType else { throw .refused(.notFound("licence \(text)")) }
  }

  /// Resolves a word to what it names, so that an unknown name is refused.
  private static func word(
    _ text: String, _ field: ListField, isExact: Bool, in place: WorkspaceID?, _ folding: Folding, _ turn: Turn
  ) throws(Halt) -> Value {
    if isExact, !text.isEmpty {
      switch field {
      case .product: return .product(try turn.product(named: text).id)
      case .role:
        if let role = Role(name: text) { return .role(role) }
        // Several workspaces may have a role of this name.
        let known = turn.directory.roles.filter { role in
          !role.isDropped && role.name == text.folded && role.workspace.map(turn.knownWorkspaces.contains) ?? true
            && (place == nil || role.workspace == nil || role.workspace == place)
        }
        guard let first = known.first else {
          if let permission = Permission(name: text) { return .role(.only(permission)) }
          throw .refused(.notFound("role \(text)"))
        }
        // A role by itself is found by an index; a name that several have is compared.
        if known.count == 1 || place != nil { return .role(first.role) }
      case .workspace: return .workspace(try turn.workspace(named: text).id)
      case .account: return .mainAccount(try turn.account(named: text, in: nil))
      case .mainRole: _ = try word(text, .role, isExact: true, in: nil, folding, turn)
      case .licence: try checkLicence(text, folding, turn)
      case .employer:
        let account = try turn.account(named: text, in: nil)
        return .employers(.account(account.id), in: account.workspace)
      case .group:
        let group = try turn.group(named: text, in: nil)
        return .employers(.group(group, by: .max), in: group.workspace)
      default: break
      }
    }
    return .text(folding.form(text))
  }

  /// Whether the condition asks for deleted users.
  public var asksForDeleted: Bool {
    guard field == .status, comparison == .equal, case .text(let text) = value else { return false }
    return text.elementsEqual("deleted".utf8)
  }

  // MARK: Finding

  /// What a facet can select.
  enum Selected {
    case status(Status)
    case product(ProductID)
    case role(Role)
    case workspace(WorkspaceID)
    case mainAccount(Account)
  }

  var isEquality: Bool { comparison == .equal }

  /// Whether more is asked for than what a facet can select.
  var isNarrower: Bool { place != nil }

  /// What the condition compares with, if a facet tells for whom it holds.
  var selected: Selected? {
    switch value {
    case .text(let text):
      return field == .status ? Status(name: String(decoding: text, as: UTF8.self)).map(Selected.status) : nil
    case .product(let product): return .product(product)
    case .role(let role): return .role(role)
    case .workspace(let workspace): return .workspace(workspace)
    case .mainAccount(let account): return .mainAccount(account)
    case .number, .day, .moment, .employers: return nil
    }
  }

  /// The contacts of a partition among whom all are for whom it holds; nil where an index does not tell.
  func employees(in cell: HeldPartition) -> [UInt32]? {
    guard comparison == .equal else { return nil }
    switch value {
    case .employers(let scope, _): return scope.employees(in: cell)
    case .number, .day, .moment, .text, .product, .role, .workspace, .mainAccount: return nil
    }
  }

  /// The contacts of a partition among whom all are for whom it holds, as the index of words tells; nil where it does not.
  func named(in cell: HeldPartition) -> SerialBits? {
    guard comparison == .equal || comparison == .hasPrefix, case .text(let text) = value, Self.isInWords(field),
      cell.state.people.words.isComplete(through: cell.state.people.contacts.last)
    else { return nil }
    // Their text begins with the same word.
    return text.withUnsafeBytes { text in
      SearchText.with(text) { form in
        let word = UnsafeRawBufferPointer(rebasing: form.prefix { !SearchText.isSpace($0) })
        guard !word.isEmpty else { return nil }
        let last = cell.state.people.contacts.last
        return cell.state.people.words.contacts(withLong: word, most: .max, through: last)
          ?? cell.state.people.words.contacts(of: cell.state.people.words.run(of: word), through: last)
      }
    }
  }

  private static func isInWords(_ field: ListField) -> Bool {
    switch field {
    case .username, .ofContact(.first), .ofContact(.middle), .ofContact(.last), .ofContact(.email): true
    default: false
    }
  }

  /// Whether an index narrows a list to those for whom it holds, or it holds for nearly all.
  func isOfManyOrIndexed(for viewer: ListViewer) -> Bool {
    if comparison == .notEqual || facet(for: viewer) != nil { return true }
    switch value {
    case .employers: return comparison == .equal
    case .text(let wanted):
      return (comparison == .equal || comparison == .hasPrefix) && Self.isInWords(field) && !wanted.isEmpty
    case .number, .day, .moment, .product, .role, .workspace, .mainAccount: return false
    }
  }

  // MARK: Deciding

  public func holds(for user: some ListedPerson) -> Bool {
    switch value {
    case .number(let wanted): return holds(user.number(field), wanted)
    case .day(let wanted):
      return holds(user.number(field).map { Int64(user.day(of: $0, near: wanted)) }, Int64(wanted))
    case .moment(let wanted):
      let number = user.number(field)
      return holds(number, Int64(user.day(of: wanted, near: Int32(clamping: number ?? 0))))
    case .text(let wanted):
      if field.kind == .words { return holds(user.words(field), wanted) }
      return user.withText(field) { text in
        // ASCII is folded on the stack, so a user who does not match costs no allocation.
        folding.with(text) { text in wanted.withUnsafeBytes { holds(text, $0) } }
      }
    case .product(let product):
      return user.mayEnter(product) == (comparison == .equal)
    case .role(let role):
      let hasRole = place.map { user.hasRole(role, over: $0) } ?? user.hasRole(role)
      return hasRole == (comparison == .equal)
    case .workspace(let workspace):
      return user.isMember(of: workspace) == (comparison == .equal)
    case .mainAccount(let account):
      return user.hasMainAccount(account) == (comparison == .equal)
    case .employers(let scope, let workspace):
      return user.isEmployed(by: scope, in: workspace) == (comparison == .equal)
    }
  }

  private func holds(_ number: Int64?, _ wanted: Int64?) -> Bool {
    switch comparison {
    case .equal: return number == wanted
    case .notEqual: return number != wanted
    default:
      // A field that is not set is neither before nor after anything.
      guard let number, let wanted else { return false }
      switch comparison {
      case .less: return number < wanted
      case .greater: return number > wanted
      case .atMost: return number <= wanted
      default: return number >= wanted
      }
    }
  }

  private func holds(_ text: UnsafeRawBufferPointer, _ wanted: UnsafeRawBufferPointer) -> Bool {
    switch comparison {
    case .equal: return sameBytes(text, wanted)
    case .notEqual: return !sameBytes(text, wanted)
    case .hasPrefix:
      return text.count >= wanted.count && sameBytes(UnsafeRawBufferPointer(rebasing: text[..<wanted.count]), wanted)
    case .contains: return Self.contains(text, wanted)
    default:
      guard !text.isEmpty else { return false }
      let isLess = text.lexicographicallyPrecedes(wanted)
      switch comparison {
      case .less: return isLess
      case .atLeast: return !isLess
      case .atMost: return isLess || sameBytes(text, wanted)
      default: return !isLess && !sameBytes(text, wanted)
      }
    }
  }

  private static func contains(_ text: UnsafeRawBufferPointer, _ wanted: UnsafeRawBufferPointer) -> Bool {
    guard let first = wanted.first else { return true }
    guard text.count >= wanted.count else { return false }
    for start in 0...(text.count - wanted.count) where text[start] == first {
      if sameBytes(UnsafeRawBufferPointer(rebasing: text[start..<start + wanted.count]), wanted) { return true }
    }
    return false
  }

  /// One of the words must match; with `!=`, none. An empty value means that there are none.
  private func holds(_ words: [String], _ wanted: ContiguousArray<UInt8>) -> Bool {
    if wanted.isEmpty { return words.isEmpty == (comparison != .notEqual) }
    let found = words.contains { word in
      let whole = folding.form(word)
      if Self.fits(whole, wanted, comparison) { return true }
      // A licence also matches by its type alone.
      guard field == .licence, let colon = whole.lastIndex(of: 0x3a) else { return false }
      return Self.fits(ContiguousArray(whole[(colon + 1)...]), wanted, comparison)
    }
    return found == (comparison != .notEqual)
  }

  private static func fits(
    _ word: ContiguousArray<UInt8>, _ wanted: ContiguousArray<UInt8>, _ comparison: Operator
  ) -> Bool {
    switch comparison {
    case .hasPrefix: word.starts(with: wanted)
    case .contains: word.withUnsafeBytes { word in wanted.withUnsafeBytes { contains(word, $0) } }
    default: word == wanted
    }
  }
}
