extension People {
  /// Adds contacts to the word index, so few that the partition is not held for long.
  /// - Returns: whether all were added.
  mutating func enterWords(most: Int) -> Bool {
    for _ in 0..<most {
      guard let contact = words.next(through: contacts.last) else { return true }
      guard contacts[contact].isUsed else { continue }
      // Moved out while the rows are read, because both belong to the same value.
      var index = WordIndex()
      swap(&index, &words)
      var initials: UInt32 = 0
      forEachText(of: contact) { text in
        SearchText.forEachTerm(in: text) { term in
          index.insert(term, of: contact)
          initials |= WordIndex.initial(term)
        }
      }
      index.setInitials(initials, of: contact)
      swap(&index, &words)
    }
    return words.isComplete(through: contacts.last)
  }

  /// Calls `body` with each text by which a contact is found, in search form.
  private func forEachText(of contact: Int, _ body: (UnsafeRawBufferPointer) -> Void) {
    contacts.withDetails(of: contact) { details in
      for field in [ContactField.first, .middle, .last, .email] {
        if let text = Details.field(field.rawValue, in: details) { SearchText.with(text, body) }
      }
    }
    let user = Int(contacts[contact].user)
    guard user != 0 else { return }
    users.withDetails(of: user) { details in
      if let text = Details.field(UserTag.username, in: details) { SearchText.with(text, body) }
    }
  }

  /// Whether each word is a prefix of one of a contact's terms.
  ///
  /// - Returns: the least key of the terms that begin with one of the words, the `ordering`; nil if a word is missing.
  func match(_ contact: Int, _ words: [ContiguousArray<UInt8>], ordering: Int) -> UInt64? {
    var missing: UInt64 = 1 << UInt64(words.count) - 1
    var least = UInt64.max
    forEachText(of: contact) { text in
      SearchText.forEachTerm(in: text) { term in
        for index in words.indices where missing & 1 << UInt64(index) != 0 || index == ordering {
          let begins = words[index].withUnsafeBytes { word in
            term.count >= word.count && sameBytes(UnsafeRawBufferPointer(rebasing: term[..<word.count]), word)
          }
          guard begins else { continue }
          missing &= ~(1 << UInt64(index))
          if index == ordering { least = min(least, WordIndex.key(term)) }
        }
      }
    }
    return missing == 0 ? least : nil
  }
}

extension PartitionState {
  /// Adds some of the contacts that the word index lacks.
  public mutating func enterWords() { _ = people.enterWords(most: Limits.wordsOfSlice) }
}
