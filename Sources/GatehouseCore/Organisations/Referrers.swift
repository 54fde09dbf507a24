/// Who of a partition is employed at an account, and who has power over an account or a group, or manages it: what
/// must be known before one is deleted, and what finds the people of an account without a look at all others.
///
/// It follows from the rows, and no snapshot has it. It takes 4 bytes for each employment, grant and link that names an
/// account or a group, and about 60 for each account and group that somebody of the partition names.
struct Referrers: Sendable, Equatable {
  /// What is referred to, and how.
  enum Kind: Hashable, Sendable {
    /// Contacts that are, were or will be employed there.
    case employees(AccountID)
    /// Users with a grant or a management link.
    case ofAccount(AccountID)
    case ofGroup(GroupID)
    /// Users with a management link to a user.
    case ofUser(UserID)
  }

  /// Serial numbers in ascending order; one that refers in several ways stands there several times.
  private(set) var serials: [Kind: ContiguousArray<UInt32>] = [:]

  subscript(kind: Kind) -> ContiguousArray<UInt32> { serials[kind] ?? [] }

  private static func index(of serial: UInt32, in list: ContiguousArray<UInt32>) -> Int {
    var (low, high) = (0, list.count)
    while low < high {
      let middle = (low + high) / 2
      if list[middle] < serial { low = middle + 1 } else { high = middle }
    }
    return low
  }

  mutating func insert(_ serial: Int, into kind: Kind) {
    let serial = UInt32(serial)
    serials[kind, default: []].insert(serial, at: Self.index(of: serial, in: self[kind]))
  }

  mutating func remove(_ serial: Int, from kind: Kind) {
    guard let list = serials[kind] else { return }
    let serial = UInt32(serial)
    let index = Self.index(of: serial, in: list)
    guard index < list.count, list[index] == serial else { return }
    if list.count == 1 { serials[kind] = nil } else { serials[kind]?.remove(at: index) }
  }
}

extension Grant {
  /// What account or group a grant is over.
  var referredTo: Referrers.Kind? {
    switch scope {
    case .account(let id, _): .ofAccount(id)
    case .group(let id, _): .ofGroup(id)
    case .everywhere, .workspace, .product: nil
    }
  }
}

extension People {
  /// Notes in a user's row whether the user's grants or links name an account or a group, which saves a look at all
  /// others when the index is made anew.
  mutating func markReferrer(_ serial: Int) {
    let refers = grants(of: serial).contains { $0.referredTo != nil } || !management(of: serial).isEmpty
    if refers {
      users[serial].flags.insert(.refersToOrganisations)
    } else {
      users[serial].flags.remove(.refersToOrganisations)
    }
  }

  /// All that refers to accounts and groups, as the rows have it.
  func foundReferrers() -> Referrers {
    var found = Referrers()
    for serial in 1..<(contacts.last + 1) where contacts[serial].isUsed {
      for employment in employments(of: serial) { found.insert(serial, into: .employees(employment.account)) }
    }
    for serial in 1..<(users.last + 1) where users[serial].flags.contains(.refersToOrganisations) {
      for kind in grants(of: serial).compactMap(\.referredTo) { found.insert(serial, into: kind) }
      for kind in management(of: serial).map(\.referredTo) { found.insert(serial, into: kind) }
    }
    return found
  }
}
