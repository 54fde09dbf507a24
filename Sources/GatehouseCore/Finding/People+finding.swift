extension People {
  /// Adds contacts to the word index, so few that the partition is not held for long.
  /// - Returns: whether all were added.
  mutating func enterWords(most: Int) -> Bool {
    var longest: ContiguousArray<UInt8> = []
    for _ in 0..<most {
      guard let contact = words.next(through: contacts.last) else { return true }
      guard contacts[contact].isUsed else { continue }
      // Moved out while the rows are read, because both belong to the same value.
      var index = WordIndex()
      swap(&index, &words)
      var initials: UInt32 = 0
      longest.removeAll(keepingCapacity: true)
      forEachTerm(of: contact) { term in
        index.insert(term, of: contact, afterLongest: &longest)
        initials |= WordIndex.initial(term)
      }
      index.setInitials(initials, of: contact)
      swap(&index, &words)
    }
    return words.isComplete(through: contacts.last)
  }

  /// Calls `body` with each term by which a contact is found. The parts of an e-mail and a username are no terms of their
  /// own: the names have the same, and the index would be half as large again.
  private func forEachTerm(of contact: Int, _ body: (UnsafeRawBufferPointer) -> Void) {
    contacts.withDetails(of: contact) { details in
      for field in [ContactField.first, .middle, .last] {
        guard let text = Details.field(field.rawValue, in: details) else { continue }
        SearchText.forEachTerm(of: text, .names) { body($0) }
      }
      if let text = Details.field(ContactField.email.rawValue, in: details) {
        SearchText.forEachTerm(of: text, .doubleNames) { body($0) }
      }
    }
    let user = Int(contacts[contact].user)
    guard user != 0 else { return }
    users.withDetails(of: user) { details in
      if let text = Details.field(UserTag.username, in: details) {
        SearchText.forEachTerm(of: text, .doubleNames) { body($0) }
      }
    }
  }

  /// Prefetches what `match` reads of some contacts: each row leads to the next memory, so that all rows are asked for
  /// before the first is read.
  @inline(__always)
  func prefetch(_ found: some Sequence<Int>) {
    for contact in found { contacts.prefetch(contact) }
    for contact in found {
      contacts.prefetchDetails(contact)
      users.prefetch(Int(contacts[contact].user))
    }
    for contact in found { users.prefetchDetails(Int(contacts[contact].user)) }
  }

  /// Whether each word is a prefix of one of a contact's terms.
  ///
  /// - Returns: the least key of the terms that begin with one of the words, the `ordering`; nil if a word is missing.
  func match(_ contact: Int, _ words: [ContiguousArray<UInt8>], ordering: Int) -> UInt64? {
    var missing: UInt64 = 1 << UInt64(words.count) - 1
    var least = UInt64.max
    forEachTerm(of: contact) { term in
      for index in words.indices where missing & 1 << UInt64(index) != 0 || index == ordering {
        let begins = words[index].withUnsafeBytes { word in
          term.count >= word.count && sameBytes(UnsafeRawBufferPointer(rebasing: term[..<word.count]), word)
        }
        guard begins else { continue }
        missing &= ~(1 << UInt64(index))
        if index == ordering { least = min(least, WordIndex.key(term)) }
      }
    }
    return missing == 0 ? least : nil
  }
}

extension PartitionState {
  /// Adds some of the contacts that the word index lacks.
  public mutating func enterWords() { _ = people.enterWords(most: Limits.wordsOfSlice) }
}
