/// A text by which a list can go in the order of the word index.
///
/// The index has the first word of each such text, and its first eight bytes sort like the texts: a word ends with a space,
/// which sorts before all letters. Whose text is empty has an entry of its own.
enum SortedField: UInt64, Hashable, Sendable {
  case first = 1
  case last
  case email
  /// Every user has one.
  case username

  static let ofContacts: [SortedField] = [.first, .last, .email]

  /// - Returns: nil if the index does not have all that a list in this order shows.
  init?<Row: ListedPerson>(_ field: ListField, _ row: Row.Type) {
    switch field {
    case .ofContact(.first): self = .first
    case .ofContact(.last): self = .last
    case .ofContact(.email): self = .email
    // A contact whose login ended has no username, and no note of that.
    case .username where Row.self == ListedUser.self: self = .username
    default: return nil
    }
  }

  /// The key of those whose text is empty: no term begins with a zero.
  var keyOfEmpty: UInt64 { rawValue }

  /// The key of the entry that somebody has in the index.
  /// - Parameter sortKey: their text in search form, without spaces before it.
  func key(of sortKey: ContiguousArray<UInt8>) -> UInt64 {
    guard !sortKey.isEmpty else { return keyOfEmpty }
    return sortKey.withUnsafeBytes { text in
      WordIndex.key(UnsafeRawBufferPointer(rebasing: text.prefix { !SearchText.isSpace($0) }))
    }
  }
}
