extension CommandTable {
  static let searchCommands: [CommandSpec] = [
    CommandSpec(
      "USER.SEARCH", .people, "Users by the beginnings of names, username or e-mail, without case and accents",
      [
        .words("word"), .option("LIMIT", "n", .integer), .option("PRODUCT", "product"),
        .option("WORKSPACE", "workspace"),
      ],
      reply:
        "an array of maps `id, username, name, email, status, contact`, in the order of the terms found; every word"
        + " must match; PRODUCT and WORKSPACE keep only users who may enter it or are members. A word in capitals that"
        + " is an option of other lists is refused; in lower case it is searched for",
      needs: .permission(.userRead, over: .anything), route: .everywhere,
      body: .gather(collect: searchUsers, finish: finishSearch)),
    CommandSpec(
      "CONTACT.SEARCH", .people, "Contacts by the beginnings of names, username or e-mail, without case and accents",
      [.words("word"), .option("LIMIT", "n", .integer)],
      reply:
        "an array of maps `contact, name, email, user, username`, in the order of the terms found; words in capitals"
        + " are taken as in USER.SEARCH",
      needs: .permission(.userRead, over: .anything), route: .everywhere,
      body: .gather(collect: searchContacts, finish: finishSearch)),
  ]

  @Sendable private static func searchUsers(
    _ turn: Turn, _ cell: HeldPartition, _ gathered: inout Gathered
  ) throws(Halt) {
    let viewer = ListViewer(turn)
    try search(turn, cell, &gathered) { contact, query in
      guard let user = contact.user, viewer.isFree || viewer.shows(user) else { return nil }
      let listed = ListedUser(cell, user.serial, viewer)
      if let product = query.product, !listed.mayEnter(product) { return nil }
      if let workspace = query.workspace, !listed.isMember(of: workspace) { return nil }
      var reply = Reply()
      reply.map(6)
      for field in [ListField.id, .username, .name, .ofContact(.email), .status, .contact] {
        listed.write(field, to: &reply)
      }
      return reply
    }
  }

  @Sendable private static func searchContacts(
    _ turn: Turn, _ cell: HeldPartition, _ gathered: inout Gathered
  ) throws(Halt) {
    let viewer = ListViewer(turn)
    try search(turn, cell, &gathered) { contact, query in
      guard ListedContact(cell, contact.serial, viewer).isListed(includingDeleted: false) else { return nil }
      let home = contact.home.flatMap { viewer.reach.contains($0) ? $0 : nil }
      let format = turn.directory.workspace(home ?? mainWorkspace).policies.nameFormat
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
  }

  /// Adds a partition's matches to the answer, in the order of the terms that match the rarest word.
  /// - Parameter item: the answer for a matching contact; nil if it is not shown.
  private static func search(
    _ turn: Turn, _ cell: HeldPartition, _ gathered: inout Gathered,
    _ item: (ContactReference, SearchQuery) -> Reply?
  ) throws(Halt) {
    let query: SearchQuery
    if let found = gathered.query { query = found } else { query = try SearchQuery(turn) }
    gathered.query = query
    turn.read(cell.state.lsn)
    guard cell.state.people.enterWords(most: Limits.wordsOfSlice) else { return gathered.comeBack(at: 1) }
    let seen = max(0, gathered.nextRow - 1)
    var run = query.rarest(in: cell.state.people.words)
    cell.state.people.words.skip(seen, of: &run)
    var looked = 0
    while let entry = cell.state.people.words.next(&run) {
      looked += 1
      let key = SearchQuery.order(entry, cell.index)
      // Items after the last one of a full answer cannot be in it; the entries are sorted, so stop.
      let worst = gathered.items.count == query.limit ? gathered.items.last?.key : nil
      if let worst, !key.lexicographicallyPrecedes(worst) { break }
      if cell.state.people.matches(Int(entry.serial), query.words) {
        let contact = ContactReference(
          id: cell.state.id(Int(entry.serial)), cell: cell, serial: Int(entry.serial))
        let isNew = !gathered.items.contains { $0.id == contact.id.raw }
        if isNew, let reply = item(contact, query) {
          gathered.insert(Gathered.Item(key: key, id: contact.id.raw, reply: reply), most: query.limit)
        }
      }
      if looked == Limits.rowsOfSlice { return gathered.comeBack(at: seen + looked + 1) }
    }
    gathered.comeBack(at: 0)
  }

  @Sendable private static func finishSearch(_ turn: Turn, _ gathered: inout Gathered) throws(Halt) {
    turn.reply.array(gathered.items.count)
    for item in gathered.items { turn.reply.append(item.reply) }
  }
}

/// The query of a search, parsed once for all partitions.
struct SearchQuery: Sendable {
  /// In search form, at least one.
  let words: [ContiguousArray<UInt8>]
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
      for part in text.split(whereSeparator: \.isWhitespace) {
        var part = String(part)
        words.append(part.withUTF8 { SearchText.with(UnsafeRawBufferPointer($0)) { ContiguousArray($0) } })
      }
    }
    words.removeAll(where: \.isEmpty)
    guard !words.isEmpty else { throw .refused(.syntax("nothing to search for; give the beginning of a name")) }
    guard words.count <= Limits.wordsOfSearch else {
      throw .refused(.limit("words: a search has at most \(Limits.wordsOfSearch)"))
    }
    self.words = words
    limit = try turn.integer("LIMIT", in: 1...Limits.listMost) ?? Limits.searchDefault
    let isOfUsers = turn.spec.options.contains { $0.token == "PRODUCT" }
    let product = isOfUsers ? try turn.option("PRODUCT") : nil
    self.product = try product.map { (name) throws(Halt) in try turn.product(named: name).id }
    workspace = isOfUsers && turn.has("WORKSPACE") ? try turn.workspace().id : nil
  }

  /// The options of lists, searches and writes. In capitals they are meant as such: taken as words to search for, they
  /// would find nobody and say nothing. Other words in capitals can be names.
  private static let otherOptions = Set(
    ((CommandTable.listCommands + CommandTable.searchCommands).flatMap(\.options) + Argument.everyWrite)
      .compactMap(\.token))

  /// The entries of the word with the fewest.
  func rarest(in index: borrowing WordIndex) -> WordIndex.Run {
    var best: WordIndex.Run?
    for word in words {
      let run = word.withUnsafeBytes { index.run(of: $0) }
      if run.count < best?.count ?? .max { best = run }
    }
    return best!
  }

  /// The sort key of items: their term, then the partition and the contact in it.
  static func order(_ entry: WordIndex.Entry, _ partition: Int) -> ContiguousArray<UInt8> {
    var bytes = ContiguousArray<UInt8>()
    for number in [entry.key, UInt64(partition) << 32 | UInt64(entry.serial)] {
      withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
    }
    return bytes
  }
}
