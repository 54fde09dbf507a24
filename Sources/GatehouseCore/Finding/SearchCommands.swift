extension CommandTable {
  static let searchCommands: [CommandSpec] = [
    CommandSpec(
      "USER.SEARCH", .people, "Users by the beginnings of names, username or e-mail, without case and accents",
      [
        .words("word"), .option("LIMIT", "n", .integer), .option("PRODUCT", "product"),
        .option("WORKSPACE", "workspace"),
      ],
      reply:
        "an array of maps `id, username, name, email, status, contact`: first who has exactly the word as username, then as"
        + " e-mail, then the others in the order of the terms found; every word must match; PRODUCT and WORKSPACE keep only users who may enter it or are members. A word in capitals that"
        + " is an option of other lists is refused; in lower case it is searched for",
      needs: .permission(.userRead, over: .anything), route: .everywhere,
      body: .gather(collect: searchUsers, finish: finishSearch)),
    CommandSpec(
      "CONTACT.SEARCH", .people, "Contacts by the beginnings of names, username or e-mail, without case and accents",
      [.words("word"), .option("LIMIT", "n", .integer)],
      reply:
        "an array of maps `contact, name, email, user, username`, in the order of USER.SEARCH, and words in capitals"
        + " are taken as there",
      needs: .permission(.userRead, over: .anything), route: .everywhere,
      body: .gather(collect: searchContacts, finish: finishSearch)),
  ]

  @Sendable private static func searchUsers(
    _ turn: Turn, _ cell: HeldPartition, _ gathered: inout Gathered
  ) throws(Halt) {
    let viewer = gathered.viewer(turn)
    try search(turn, cell, viewer, &gathered) { contact, query in user(contact, query, viewer) }
  }

  private static func user(_ contact: ContactReference, _ query: SearchQuery, _ viewer: ListViewer) -> Reply? {
    guard let user = contact.user, viewer.isFree || viewer.shows(user) else { return nil }
    let listed = ListedUser(contact.cell, user.serial, viewer)
    if let product = query.product, !listed.mayEnter(product) { return nil }
    if let workspace = query.workspace, !listed.isMember(of: workspace) { return nil }
    var reply = Reply()
    reply.map(6)
    for field in [ListField.id, .username, .name, .ofContact(.email), .status, .contact] {
      listed.write(field, to: &reply)
    }
    return reply
  }

  @Sendable private static func searchContacts(
    _ turn: Turn, _ cell: HeldPartition, _ gathered: inout Gathered
  ) throws(Halt) {
    let viewer = gathered.viewer(turn)
    try search(turn, cell, viewer, &gathered) { contact, _ in self.contact(contact, viewer) }
  }

  private static func contact(_ contact: ContactReference, _ viewer: ListViewer) -> Reply? {
    guard ListedContact(contact.cell, contact.serial, viewer).isListed(includingDeleted: false) else { return nil }
    let home = contact.home.flatMap { viewer.reach.contains($0) ? $0 : nil }
    let format = viewer.directory.workspace(home ?? mainWorkspace).policies.nameFormat
    let email = contact.text(.email)
    var reply = Reply()
    reply.map(5)
    reply.text("contact")
    reply.integer(contact.id.raw)
    reply.text("name")
    reply.text(contact.name.text(format: format))
    reply.text("email")
    reply.optional(email.isEmpty ? nil : email)
    reply.text("user")
    reply.optional(contact.user.map { Int64($0.id.raw) })
    reply.text("username")
    reply.optional(contact.user?.username)
    return reply
  }

  /// Adds a partition's matches to the answer, in the order of the terms that match the longest word.
  /// - Parameter item: the answer for a matching contact; nil if it is not shown.
  private static func search(
    _ turn: Turn, _ cell: HeldPartition, _ viewer: ListViewer, _ gathered: inout Gathered,
    _ item: (ContactReference, SearchQuery) -> Reply?
  ) throws(Halt) {
    let query: SearchQuery
    if let found = gathered.query {
      query = found
    } else {
      query = try SearchQuery(turn)
      gathered.query = query
    }
    turn.read(cell.state.lsn)
    guard cell.state.people.enterWords(most: Limits.wordsOfSlice), gathered.hasFiledPeople(of: cell) else {
      return gathered.comeBack(at: 1)
    }
    let last = gathered.lastEntry
    gathered.lastEntry = nil
    gathered.comeBack(at: 0)
    if last == nil {
      for place in turn.exactMatches(query, in: cell, &gathered) { add(place, in: cell, query, &gathered, item) }
    }
    // Whoever comes later cannot be in an answer that is full of exact ones.
    if let worst = gathered.lastKey(of: query), worst.isExact { return }
    guard let finding = Finding(query, viewer, cell, after: last, gathered.lastKey(of: query)) else { return }
    gathered.lastEntry = finding.forEachMatch { contact, place in
      if let worst = gathered.lastKey(of: query), place >= worst { return .isDone }
      let id: ContactID = cell.state.id(contact)
      // Somebody may have been renamed while the partition was left, or stand there as an exact match.
      if last != nil || gathered.hasExact, gathered.items.contains(where: { $0.id == id.raw }) {
        return .goesOn(after: gathered.items.count)
      }
      if let reply = item(ContactReference(id: id, cell: cell, serial: contact), query) {
        gathered.insert(Gathered.Item(key: place.bytes, id: id.raw, reply: reply), most: query.limit)
      }
      return .goesOn(after: gathered.items.count)
    }
    if gathered.lastEntry != nil { gathered.comeBack(at: 1) }
  }

  /// Puts an exact match before the others, where it may stand already.
  private static func add(
    _ place: SearchOrder, in cell: HeldPartition, _ query: SearchQuery, _ gathered: inout Gathered,
    _ item: (ContactReference, SearchQuery) -> Reply?
  ) {
    let id: ContactID = cell.state.id(Int(place.contact))
    guard let reply = item(ContactReference(id: id, cell: cell, serial: Int(place.contact)), query) else { return }
    gathered.items.removeAll { $0.id == id.raw }
    gathered.hasExact = true
    gathered.insert(Gathered.Item(key: place.bytes, id: id.raw, reply: reply), most: query.limit)
  }

  /// Adds those who have exactly the username, in the partition where they live.
  @Sendable private static func addNamesakes(_ turn: Turn, _ cell: HeldPartition, _ gathered: inout Gathered) {
    guard let query = gathered.query else { return }
    let viewer = gathered.viewer(turn)
    for id in gathered.namesakes where turn.partitioning.partition(of: id) == cell.index {
      gathered.namesakes.remove(id)
      guard let place = turn.exactMatch(id, in: cell) else { continue }
      add(place, in: cell, query, &gathered) { query.isOfUsers ? user($0, $1, viewer) : contact($0, viewer) }
    }
  }

  @Sendable private static func finishSearch(_ turn: Turn, _ gathered: inout Gathered) throws(Halt) {
    gathered.look(again: Set(gathered.namesakes.map { turn.partitioning.partition(of: $0) }), addNamesakes)
    turn.reply.array(gathered.items.count)
    for item in gathered.items { turn.reply.append(item.reply) }
  }
}

/// The query of a search, parsed once for all partitions.
struct SearchQuery: Sendable {
  /// In search form, at least one, and none that another begins with: who has that one has it, too.
  let words: [ContiguousArray<UInt8>]
  /// The word by whose terms the answer is sorted: the first of the longest.
  let ordering: Int
  /// The words of which the index is asked whom they leave, besides the ordering one as such: neither those whose initial
  /// alone tells, nor, of eight bytes at most, the ordering one itself.
  let selective: [Int]
  /// The initials of all words.
  let initials: UInt32
  /// The argument that is the only word.
  let onlyWord: Int?
  let isOfUsers: Bool
  let limit: Int
  let product: ProductID?
  let workspace: WorkspaceID?

  init(_ turn: Turn) throws(Halt) {
    turn.read(turn.directory.lsn)
    var words: [ContiguousArray<UInt8>] = []
    for index in turn.positional {
      let text = try turn.text(index, "word", limit: Limits.fieldBytes)
      guard !Self.otherOptions.contains(text) else {
        throw .refused(
          .syntax(
            "unknown option '\(text)' for '\(turn.spec.name.lowercased())'; to search for the word, write it in lower"
              + " case; usage: \(turn.spec.usage)"))
      }
      var given = text
      given.withUTF8 { text in
        SearchText.with(UnsafeRawBufferPointer(text)) { form in
          words += form.split(whereSeparator: SearchText.isSpace).map { ContiguousArray($0) }
        }
      }
    }
    guard !words.isEmpty else { throw .refused(.syntax("nothing to search for; give the beginning of a name")) }
    guard words.count <= Limits.wordsOfSearch else {
      throw .refused(.limit("words: a search has at most \(Limits.wordsOfSearch)"))
    }
    onlyWord = words.count == 1 && turn.positional.count == 1 ? turn.positional.first : nil
    (self.words, ordering, selective, initials) = Self.plan(words)
    limit = try turn.integer("LIMIT", in: 1...Limits.listMost) ?? Limits.searchDefault
    isOfUsers = turn.spec.options.contains { $0.token == "PRODUCT" }
    let product = isOfUsers ? try turn.option("PRODUCT") : nil
    self.product = try product.map { (name) throws(Halt) in try turn.product(named: name).id }
    workspace = isOfUsers && turn.has("WORKSPACE") ? try turn.workspace().id : nil
  }

  /// How the words are searched for, the same in all partitions.
  static func plan(
    _ given: [ContiguousArray<UInt8>]
  ) -> (words: [ContiguousArray<UInt8>], ordering: Int, selective: [Int], initials: UInt32) {
    var words: [ContiguousArray<UInt8>] = []
    for (number, word) in given.enumerated() {
      let isImplied = given.indices.contains { other in
        other != number && given[other].starts(with: word) && (given[other].count > word.count || other < number)
      }
      if !isImplied { words.append(word) }
    }
    let ordering = words.indices.max {
      words[$0].count < words[$1].count || words[$0].count == words[$1].count && $0 > $1
    }
    let selective = words.indices.filter { number in
      number == ordering ? WordIndex.isLong(words[number]) : !WordIndex.isInitial(words[number])
    }
    let initials: UInt32 = words.reduce(0) { bits, word in bits | word.withUnsafeBytes { WordIndex.initial($0) } }
    return (words, ordering ?? 0, selective, initials)
  }

  /// The options of lists, searches and writes. In capitals they are meant as such: taken as words to search for, they
  /// would find nobody and say nothing. Other words in capitals can be names.
  private static let otherOptions = Set(
    ((CommandTable.listCommands + CommandTable.searchCommands).flatMap(\.options) + Argument.everyWrite)
      .compactMap(\.token))
}

extension Gathered {
  /// The place of the last item, if the answer is full: items after it cannot be in it.
  fileprivate func lastKey(of query: SearchQuery) -> SearchOrder? {
    items.count == query.limit ? items.last.map { SearchOrder($0.key) } : nil
  }
}
