/// The API keys of a partition's users.
public struct APIKeys: ~Copyable, Sendable {
  public internal(set) var rows = RowTable<APIKeyRow>()
  public internal(set) var count = 0
  /// The newest key of each user who has any; the others follow by `next`. Derived.
  private var newest: [UInt32: UInt32] = [:]

  public init() {}

  /// The serial numbers of a user's keys, newest first.
  func keys(of user: Int) -> [Int] {
    var found: [Int] = []
    var key = newest[UInt32(user)] ?? 0
    while key != 0 {
      found.append(Int(key))
      key = rows[Int(key)].next
    }
    return found
  }

  /// Whether a user has keys that are not deactivated.
  func hasAny(of user: Int) -> Bool {
    newest[UInt32(user)] != nil && keys(of: user).contains { rows[$0].ended == 0 }
  }

  func name(of key: Int) -> String { rows.withDetails(of: key) { Details.text(APIKeyTag.name, in: $0) } }

  /// Who made a key, or, by another tag, who deactivated it.
  func author(_ tag: UInt8, of key: Int) -> Author? {
    let author = try? rows.details(of: key).decode(tag) { (reader) throws(CodingError) in try Author(from: &reader) }
    return author ?? nil
  }

  /// Until when a key was to live when it was made, whether or not another replaces it; 0 if without a limit.
  func plannedEnd(of key: Int) -> Milliseconds {
    let planned = try? rows.details(of: key).decode(APIKeyTag.planned) { (reader) throws(CodingError) in
      try reader.varint()
    }
    return (planned ?? nil).map { Milliseconds(clamping: $0) } ?? rows[key].expires
  }

  /// Notes in memory that a key was used; `APIKeyUsed` logs it from time to time.
  mutating func use(_ key: Int, at now: Milliseconds) {
    if now > rows[key].lastUsed { rows[key].lastUsed = now }
  }

  // MARK: Changing

  mutating func add(_ row: APIKeyRow, at serial: Int, name: String, maker: Author) {
    var row = row
    row.next = newest.updateValue(UInt32(serial), forKey: row.user) ?? 0
    rows.put(row, at: serial)
    var details = Details()
    details[text: APIKeyTag.name] = name
    details.encode(APIKeyTag.maker) { maker.encode(&$0) }
    rows.setDetails(of: serial, details.bytes)
    count += 1
  }

  /// Limits the time of a key that another replaces.
  mutating func limit(_ serial: Int, to end: Milliseconds) {
    let planned = plannedEnd(of: serial)
    rows[serial].expires = end
    var details = rows.details(of: serial)
    details.encode(APIKeyTag.planned) { $0.varint(UInt64(planned)) }
    rows.setDetails(of: serial, details.bytes)
  }

  mutating func end(_ serial: Int, by ender: Author, at time: Milliseconds) {
    rows[serial].ended = time
    var details = rows.details(of: serial)
    details.encode(APIKeyTag.ender) { ender.encode(&$0) }
    rows.setDetails(of: serial, details.bytes)
  }

  /// Forgets one key of a user.
  mutating func forget(_ serial: Int, of user: Int) {
    let row = rows[serial]
    if newest[UInt32(user)] == UInt32(serial) {
      newest[UInt32(user)] = row.next == 0 ? nil : row.next
    } else if let newer = keys(of: user).first(where: { rows[$0].next == UInt32(serial) }) {
      rows[newer].next = row.next
    }
    rows.put(.vacant, at: serial)
    count -= 1
  }

  /// Forgets all keys of a user.
  mutating func forget(_ user: Int) {
    for key in keys(of: user) { forget(key, of: user) }
  }

  /// Frees pages of keys that were forgotten.
  mutating func giveBackMemory() {
    if count < rows.last / 2 { rows.giveBackVacantPages(limit: 8) }
  }
}

extension APIKeys: Aggregate {
  mutating func copy() -> APIKeys {
    var copy = APIKeys()
    copy.rows = rows.copy()
    copy.count = count
    copy.newest = newest
    return copy
  }

  static let sections: [StoredSection<PartitionState>] = [
    StoredSection(25, size: { $0.apiKeys.rows.last * 96 }) { state, writer in
      state.apiKeys.rows.encode(into: &writer)
    } read: { (state, reader, layout) throws(CodingError) in
      state.apiKeys.rows = try RowTable.read(from: &reader, layout)
      try state.linkKeys(reader)
    }
  ]

  static func check(_ state: borrowing PartitionState, _ checker: InvariantChecker) {
    var listed = Set<Int>()
    for user in 1..<(state.people.users.last + 1) {
      for key in state.apiKeys.keys(of: user) {
        checker.expect(
          state.apiKeys.rows[key].user == UInt32(user) && listed.insert(key).inserted,
          "an API key of somebody else is in the list of user \(user) of partition \(state.index)")
      }
    }
    for key in 1..<(state.apiKeys.rows.last + 1) where state.apiKeys.rows[key].isUsed {
      let row = state.apiKeys.rows[key]
      checker.expect(listed.contains(key), "API key \(key) of partition \(state.index) is in no user's list")
      checker.expect(row.lsn <= state.lsn, "API key \(key) is newer than its partition")
      guard state.people.users.contains(Int(row.user)) else { continue }
      checker.expect(
        row.ended != 0 || state.people.users[Int(row.user)].status != .deleted,
        "API key \(key) of partition \(state.index) outlived its user's login")
    }
    checker.expect(listed.count == state.apiKeys.count, "partition \(state.index) miscounts API keys")
  }
}

extension PartitionState {
  /// The serial number that an id has, whether or not there is such a key.
  @inline(__always)
  func serial(at id: APIKeyID) -> Int? {
    let serial = partitioning.serial(of: id)
    return apiKeys.rows.contains(serial) ? serial : nil
  }

  /// The serial number of a key that there is.
  @inline(__always)
  func serial(of id: APIKeyID) -> Int? {
    let serial = partitioning.serial(of: id)
    return apiKeys.rows.contains(serial) && apiKeys.rows[serial].isUsed ? serial : nil
  }

  /// Rebuilds the lists of keys from the rows.
  fileprivate mutating func linkKeys(_ reader: ByteReader) throws(CodingError) {
    try apiKeys.link(users: people.users.last, reader)
  }
}

extension APIKeys {
  fileprivate mutating func link(users: Int, _ reader: ByteReader) throws(CodingError) {
    for key in 1..<(rows.last + 1) where rows[key].isUsed {
      let row = rows[key]
      // Each leads to an older one, so a list comes to its end.
      guard Int(row.user) <= users, row.next < UInt32(key) else {
        throw reader.failure("an API key of a user who does not exist, or with a broken link")
      }
      guard row.next == (newest.updateValue(UInt32(key), forKey: row.user) ?? 0) else {
        throw reader.failure("an API key in a broken list")
      }
      count += 1
    }
  }
}
