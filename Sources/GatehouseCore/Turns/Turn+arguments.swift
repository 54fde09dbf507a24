/// Parses a command's words. Errors are refused here, with the name of the word.
extension Turn {
  /// The bytes of word `index`; word 0 is the command's name.
  @inline(__always)
  public func word(_ index: Int) -> UnsafeRawBufferPointer { arguments[index] }

  /// The text of a word, at most `limit` bytes of UTF-8 without control characters.
  public func text(_ index: Int, _ name: String, limit: Int = Limits.textBytes) throws(Halt) -> String {
    try checked(arguments[index], name, limit)
  }

  private func checked(_ bytes: UnsafeRawBufferPointer, _ name: String, _ limit: Int) throws(Halt) -> String {
    guard bytes.count <= limit else {
      throw .refused(.syntax("\(name) is longer than \(limit) bytes; shorten it"))
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .refused(.syntax("\(name) is not valid UTF-8"))
    }
    guard !text.unicodeScalars.contains(where: { $0.value < 0x20 && $0 != "\t" && $0 != "\n" || $0.value == 0x7f })
    else {
      throw .refused(.syntax("\(name) has control characters; leave them out"))
    }
    return text
  }

  // MARK: Options

  private func chosenOption(_ token: String) -> ChosenOption? {
    if chosen.isEmpty { return nil }
    guard let option = spec.options.firstIndex(where: { $0.token == token }) else {
      preconditionFailure("\(spec.name) has no option \(token)")
    }
    return chosen.first { $0.option == option }
  }

  /// Whether an option is given.
  public func has(_ token: String) -> Bool { chosenOption(token) != nil }

  /// The word of an option's first value.
  public func optionWord(_ token: String) -> Int? { chosenOption(token)?.word }

  /// The words of the values of an option that is given once; none if it is not given.
  func optionWords(_ token: String) -> Range<Int> {
    chosenOption(token).map { $0.word..<$0.word + $0.count } ?? 0..<0
  }

  /// The text of an option's value.
  public func option(_ token: String, limit: Int = Limits.textBytes) throws(Halt) -> String? {
    guard let given = chosenOption(token) else { return nil }
    return try checked(arguments[given.word], token, limit)
  }

  /// All values of a repeatable option: a list of one or more texts for each time.
  public func options(_ token: String, limit: Int = Limits.textBytes) throws(Halt) -> [[String]] {
    if chosen.isEmpty { return [] }
    let option = spec.options.firstIndex { $0.token == token }
    var result: [[String]] = []
    for given in chosen where given.option == option {
      var values: [String] = []
      for index in 0..<given.count { values.append(try checked(arguments[given.word + index], token, limit)) }
      result.append(values)
    }
    return result
  }

  public func time(_ token: String) throws(Halt) -> Milliseconds? {
    guard let text = try option(token) else { return nil }
    return try Self.time(text, token)
  }

  public static func time(_ text: String, _ name: String) throws(Halt) -> Milliseconds {
    guard let time = TimeText.time(text) else {
      throw .refused(
        .syntax("\(name) is not a time; give unix milliseconds or RFC 3339 such as 2026-03-01T09:30:00Z"))
    }
    return time
  }

  public func duration(_ token: String) throws(Halt) -> Milliseconds? {
    guard let text = try option(token) else { return nil }
    guard let duration = TimeText.duration(text) else {
      throw .refused(.syntax("\(token) is not a duration; give milliseconds, or 90s, 15m, 8h, 30d"))
    }
    return duration
  }

  public func integer(_ token: String, in range: ClosedRange<Int>) throws(Halt) -> Int? {
    guard let text = try option(token) else { return nil }
    return try Self.integer(text, token, in: range)
  }

  public static func integer(_ text: String, _ name: String, in range: ClosedRange<Int>) throws(Halt) -> Int {
    guard let number = Int(text), range.contains(number) else {
      throw .refused(.syntax("\(name) is not a number from \(range.lowerBound) to \(range.upperBound)"))
    }
    return number
  }

  /// The `COUNT` of a list.
  public func listCount() throws(Halt) -> Int {
    try integer("COUNT", in: 1...Limits.listMost) ?? Limits.listDefault
  }

  /// The reason given with the command. Reads that log a use have no such option.
  public var reason: String {
    guard spec.effect == .write else { return "" }
    return (try? option("REASON", limit: Limits.reasonBytes)) ?? ""
  }

  // MARK: Ids

  /// The id in a word: digits, with or without a leading `#`.
  public static func identifier(_ word: UnsafeRawBufferPointer) -> UInt64? {
    var start = 0
    if word.count > 0, word[0] == 0x23 { start = 1 }
    guard word.count > start else { return nil }
    var value: UInt64 = 0
    for index in start..<word.count {
      let digit = word[index] &- 0x30
      guard digit < 10 else { return nil }
      let (product, over) = value.multipliedReportingOverflow(by: 10)
      let (sum, more) = product.addingReportingOverflow(UInt64(digit))
      if over || more { return nil }
      value = sum
    }
    return value > 0 && value <= UInt64(Int64.max) ? value : nil
  }

  /// The positional id at word `index`.
  public func id<Entity>(_ index: Int, _ name: String) throws(Halt) -> Identifier<Entity> {
    guard let raw = Self.identifier(arguments[index]) else {
      throw .refused(.syntax("\(name) is not an id; ids are positive whole numbers"))
    }
    return Identifier(raw: raw)
  }

  // MARK: Entities

  /// The user that a word names, by username in any case or as `#id`.
  public func user(_ index: Int) throws(Halt) -> UserReference {
    guard let found = try userIfAny(index) else { throw .refused(.notFound("user")) }
    return found
  }

  /// Like `user`, but nil if there is none, or none that the caller knows.
  @inline(__always)
  public func userIfAny(_ index: Int) throws(Halt) -> UserReference? {
    var found = try anyUser(index)
    if let user = found, user.row.status == .deleted { found = try successor(of: user) }
    if isLimited, let found, !knows(found) { return nil }
    return found
  }

  private func anyUser(_ index: Int) throws(Halt) -> UserReference? {
    let word = arguments[index]
    if word.count > 0, word[0] == 0x23 {
      guard let raw = Self.identifier(word) else {
        throw .refused(.syntax("user is not an id; ids are positive whole numbers"))
      }
      return try user(UserID(raw: raw))
    }
    let key = nameKey(index)
    let cell = try cell(key.partition)
    let folded = UnsafeRawBufferPointer(rebasing: foldedName[..<foldedCount])
    if let serial = cell.state.people.localUser(folded: folded, hash: key.hash) {
      read(cell.state.people.users[serial].lsn)
      return UserReference(id: cell.state.id(serial), cell: cell, serial: serial)
    }
    read(cell.state.lsn)
    if cell.state.people.otherNames.isEmpty { return nil }
    return try otherUser(index, folded, cell)
  }

  /// The slow path: the name leads to a user of another partition, or to several.
  @inline(never)
  private func otherUser(
    _ index: Int, _ folded: UnsafeRawBufferPointer, _ cell: HeldPartition
  ) throws(Halt) -> UserReference? {
    let holders = cell.state.people.otherHolders(folded: folded)
    if holders.isEmpty { return nil }
    let meant = try holders.meant(by: arguments.string(index)) { (id) throws(Halt) in try isLive(id) }
    return try meant.flatMap { (id) throws(Halt) in try user(id) }
  }

  /// The live user who has the new username at word `index`, in any spelling.
  /// - Parameter own: the user who is to get it.
  public func holder(ofNewName index: Int, besides own: UserID? = nil) throws(Halt) -> UserReference? {
    let key = nameKey(index)
    let cell = try cell(key.partition)
    read(cell.state.lsn)
    let folded = UnsafeRawBufferPointer(rebasing: foldedName[..<foldedCount])
    for holder in cell.state.holders(folded: folded, hash: key.hash) where holder.user != own {
      if let found = try user(holder.user), found.holdsName { return found }
    }
    return nil
  }

  private func isLive(_ id: UserID) throws(Halt) -> Bool {
    try user(id).map { $0.row.status != .deleted } ?? false
  }

  /// The user with this id; nil if the id was never given out.
  public func user(_ id: UserID) throws(Halt) -> UserReference? {
    let cell = try cell(partitioning.partition(of: id))
    guard let serial = cell.state.serial(of: id) else {
      read(cell.state.lsn)
      return nil
    }
    read(cell.state.people.users[serial].lsn)
    return UserReference(id: id, cell: cell, serial: serial)
  }

  /// The key of the name in a word; leaves the folded form in `foldedName`.
  @inline(__always)
  func nameKey(_ index: Int) -> NameKey {
    if foldedWord == index, let foldedKey { return foldedKey }
    foldedCount = FoldedName.fold(arguments[index], into: foldedName)
    let key =
      lookahead.nameWord == index
      ? lookahead.key : NameKey(folded: UnsafeRawBufferPointer(rebasing: foldedName[..<foldedCount]), partitioning)
    foldedWord = index
    foldedKey = key
    return key
  }

  /// The product that a word names.
  public func product(_ index: Int) throws(Halt) -> Product {
    read(directory.lsn)
    guard let id = productID(arguments[index]), let product = directory.product(id) else {
      throw .refused(noProduct(arguments[index]))
    }
    return product
  }

  /// Says that there is no product of a name.
  ///
  /// - Parameter isNamed: whether to repeat the name.
  func noProduct(_ word: UnsafeRawBufferPointer, isNamed: Bool = false) -> Refusal {
    let name = isNamed ? " \(String(decoding: word, as: UTF8.self))" : ""
    if word.contains(0x2f) { return .notFound("product\(name)") }
    return .notFound("product\(name); it was looked for in main: workspace/product names that of another workspace")
  }

  /// What to add where something was not found and the command has named no workspace.
  func elsewhere(_ isMeant: Bool = true) -> String {
    guard isMeant, spec.options.contains(where: { $0.token == "WORKSPACE" }), !has("WORKSPACE") else { return "" }
    return "; WORKSPACE w names that of a workspace"
  }

  /// The number of the product that a word names; nil if there is none, or none that the caller knows.
  @inline(__always)
  public func productID(_ word: UnsafeRawBufferPointer) -> ProductID? { productID(word, in: directory) }

  @inline(__always)
  func productID(_ word: UnsafeRawBufferPointer, in directory: Directory) -> ProductID? {
    let id = directory.productID(word)
    if isLimited, let id { return knownProduct(id) }
    return id
  }

  private func knownProduct(_ id: ProductID) -> ProductID? {
    directory.product(id).flatMap { knownWorkspaces(isNaming: true).contains($0.workspace) ? id : nil }
  }

  public func product(named name: String) throws(Halt) -> Product {
    read(directory.lsn)
    var name = name
    guard let id = name.withUTF8({ productID(UnsafeRawBufferPointer($0)) }), let product = directory.product(id)
    else { throw .refused(name.withUTF8 { noProduct(UnsafeRawBufferPointer($0), isNamed: true) }) }
    return product
  }

  /// The workspace of this name. For a caller who does not know it, it does not exist.
  public func workspace(named name: String) throws(Halt) -> Workspace {
    directory.workspace(try known(directory.workspaceID(name), named: name))
  }

  private func known(_ id: WorkspaceID?, named name: String) throws(Halt) -> WorkspaceID {
    read(directoryLSN)
    guard let id, !isLimited || knownWorkspaces(isNaming: true).contains(id) else {
      throw .refused(.notFound("workspace \(name)"))
    }
    return id
  }

  public func workspace(at index: Int) throws(Halt) -> Workspace {
    try workspace(named: try text(index, "workspace", limit: Limits.nameBytes))
  }

  /// The workspace of the option `WORKSPACE`, or `main`.
  public func workspace() throws(Halt) -> Workspace { directory.workspace(try workspaceID()) }

  /// The id of that workspace. Copying a `Workspace` retains a dozen references.
  public func workspaceID() throws(Halt) -> WorkspaceID {
    guard let name = try option("WORKSPACE") else {
      return try known(mainWorkspace, named: "main; WORKSPACE w names another")
    }
    return try known(directory.workspaceID(name), named: name)
  }

  /// The session of a token, if it has not ended. A wrong token with a live id finds nothing.
  public func session(token: UnsafeRawBufferPointer) throws(Halt) -> (cell: HeldPartition, slot: Int)? {
    guard let id = SecretText.session(of: token) else { return nil }
    let cell = try cell(partitioning.partition(of: id))
    guard let slot = cell.state.slot(of: id), cell.state.sessions[slot].token.matches(digest(token)) else {
      read(cell.state.lsn)
      return nil
    }
    read(cell.state.sessions[slot].lsn)
    if isLimited, !isOfService(cell.state.sessions[slot]) { return nil }
    return (cell, slot)
  }

  /// Whether a session is in a workspace to which the service is bound.
  private func isOfService(_ session: SessionRow) -> Bool {
    sides.allSatisfy { side in
      guard case .service = side.kind else { return true }
      return side.knownWorkspaces.contains(session.workspace)
    }
  }

  /// The session of a word that is a token or an id, if the caller may see it.
  public func session(_ index: Int) throws(Halt) -> (cell: HeldPartition, slot: Int)? {
    guard let (cell, slot) = try anySession(index) else { return nil }
    if isLimited, !mayFind(cell, slot) { return nil }
    return (cell, slot)
  }

  private func mayFind(_ cell: HeldPartition, _ slot: Int) -> Bool {
    let site = site(of: cell.state.sessions[slot])
    let holder = holder(cell, slot)
    let actor = cell.state.sessions.impersonation(ofSlot: slot)?.actor
    return sides.allSatisfy { side in
      side.isBinding || side.isOneself(holder) || actor != nil && side.person?.id == actor
        || [.sessionRead, .sessionRevoke].contains {
          side.covers($0, over: site, of: holder, in: directory, at: now)
        }
    }
  }

  private func anySession(_ index: Int) throws(Halt) -> (cell: HeldPartition, slot: Int)? {
    let word = arguments[index]
    guard let raw = Self.identifier(word) else { return try session(token: word) }
    let id = SessionID(raw: raw)
    let cell = try cell(partitioning.partition(of: id))
    guard let slot = cell.state.slot(of: id) else {
      read(cell.state.lsn)
      return nil
    }
    read(cell.state.sessions[slot].lsn)
    return (cell, slot)
  }
}
