/// An API key that a decision found.
struct APIKeyReference {
  let cell: HeldPartition
  let serial: Int

  var row: APIKeyRow { @inline(__always) unsafeAddress { cell.state.apiKeys.rows.address(of: serial) } }
  var id: APIKeyID { cell.state.id(serial) }
  var user: UserReference { UserReference(id: cell.state.id(Int(row.user)), cell: cell, serial: Int(row.user)) }
}

/// The keys that words name, and what is done with them.
extension Turn {
  /// The key that a word is, whether or not it is active. A wrong one with the id of another finds nothing.
  @inline(__always)
  func apiKey(secret word: UnsafeRawBufferPointer) throws(Halt) -> APIKeyReference? {
    guard let id = SecretText.apiKey(of: word) else { return nil }
    let cell = try cell(partitioning.partition(of: id))
    guard let serial = cell.state.serial(of: id), cell.state.apiKeys.rows[serial].digest.matches(digest(word)) else {
      read(cell.state.lsn)
      return nil
    }
    read(cell.state.apiKeys.rows[serial].lsn)
    return APIKeyReference(cell: cell, serial: serial)
  }

  /// The key at a word that is the key itself or its id, if the caller may know of it.
  func apiKey(_ index: Int) throws(Halt) -> APIKeyReference? {
    guard let key = try anyKey(index), !isLimited || mayFind(key) else { return nil }
    return key
  }

  private func anyKey(_ index: Int) throws(Halt) -> APIKeyReference? {
    guard let raw = Self.identifier(word(index)) else { return try apiKey(secret: word(index)) }
    let id = APIKeyID(raw: raw)
    let cell = try cell(partitioning.partition(of: id))
    guard let serial = cell.state.serial(of: id) else {
      read(cell.state.lsn)
      return nil
    }
    read(cell.state.apiKeys.rows[serial].lsn)
    return APIKeyReference(cell: cell, serial: serial)
  }

  private func mayFind(_ key: APIKeyReference) -> Bool {
    let user = key.user
    let site = Target(user).site(for: .credentialSet, at: now)
    return sides.allSatisfy { side in
      side.isBinding || side.isOneself(user)
        || side.covers(.credentialSet, over: site, of: user, in: directory, at: now)
    }
  }

  /// The principal of a key: its user, without an actor.
  func principal(ofKey word: UnsafeRawBufferPointer) throws(Halt) -> UserPrincipal {
    guard let key = try apiKey(secret: word), key.row.isActive(at: now), !isLimited || isOfService(key.user) else {
      throw .refused(.noPermission("an API key in force: the one after AS is unknown, deactivated or expired"))
    }
    let user = key.user
    read(user.row.lsn)
    if let denial = user.denial(in: directory, at: now) {
      throw .refused(.noPermission("an API key of somebody who may log in: \(denial.reason)"))
    }
    use(key)
    authorityKey = key
    let reach = sides.reduce(Reach.all) { $0.intersection($1.knownWorkspaces) }
    return UserPrincipal(
      actor: user.id, subject: user.id, isImpersonation: false, isByKey: true, boundTo: nil,
      sides: sides + [Side(.subject, user, within: reach, in: directory, at: now)])
  }

  /// Whether a service that is bound has to do with somebody: one of workspaces with whom it knows, one of products with
  /// whom it may let in. A key has no product of its own, as a session has.
  private func isOfService(_ user: UserReference) -> Bool {
    sides.allSatisfy { side in
      guard side.isOfProducts else { return side.knows(user, in: directory, at: now) }
      return side.holdings.contains { holding in
        guard case .product(let product) = holding.scope else { return false }
        return user.loginDenial(to: product, in: directory, at: now) == nil
      }
    }
  }

  /// Logs the use of the key after `AS`, if its last use is long ago.
  func noteUseOfKey() {
    guard let key = authorityKey, !isDryRun, key.row.isUseWorthLogging(at: now) else { return }
    emit(APIKeyUsed(key.id, of: key.user.id, now))
  }

  // MARK: Ending

  /// Deactivates all keys of a user that are not yet, for good.
  ///
  /// - Returns: how many of them were active.
  @discardableResult
  func endKeys(of user: UserReference, _ cause: APIKeyEnd) -> Int {
    var count = 0
    for serial in user.cell.state.apiKeys.keys(of: user.serial) {
      let key = APIKeyReference(cell: user.cell, serial: serial)
      guard key.row.ended == 0 else { continue }
      if key.row.isActive(at: now) { count += 1 }
      emit(APIKeyEnded(key.id, of: user.id, cause))
    }
    return count
  }

  // MARK: Making

  /// A key as its maker is shown it, once.
  struct MadeKey {
    let id: APIKeyID
    let secret: SecretText.Whole
    let name: String
    let expires: Milliseconds
  }

  /// Makes a key, with as long a life as asked for and allowed.
  ///
  /// - Parameters:
  ///   - life: 0 for no limit.
  ///   - endsOld: whether the key that it replaces ends with this decision, and so makes room for it.
  func makeKey(
    of user: UserReference, name: String, life: Milliseconds, replacing old: APIKeyReference? = nil,
    endsOld: Bool = false
  ) throws(Halt) -> MadeKey {
    let keys = user.cell.state.apiKeys.keys(of: user.serial)
    read(user.cell.state.lsn)
    let active = keys.count { user.cell.state.apiKeys.rows[$0].isActive(at: now) }
    guard active - (endsOld ? 1 : 0) < Limits.activeKeysOfUser else {
      let advice = old == nil ? "deactivate some" : "deactivate some, or replace it with OVERLAP 0"
      throw .refused(.limit("keys: a user has at most \(Limits.activeKeysOfUser); \(advice)"))
    }
    // The oldest that is of no use any more makes room.
    let oldest =
      keys.count < Limits.keysOfUser ? nil : keys.last { !user.cell.state.apiKeys.rows[$0].isActive(at: now) }
    let longest = homePolicies(of: user).apiKeyTTL
    let life = life == 0 || longest == 0 ? max(life, longest) : min(life, longest)
    let id: APIKeyID = newID(in: user.cell, after: user.cell.state.apiKeys.rows.last)
    let secret = SecretText.apiKey(id, entropy.draw())
    let made = MadeKey(
      id: id, secret: secret, name: name, expires: life == 0 ? 0 : min(now + life, Limits.latestTime))
    emit(
      APIKeyCreated(
        id, of: user.id, digest: secret.withBytes(digest), label: name, expires: made.expires, replaced: old?.id,
        forgotten: oldest.map { user.cell.state.id($0) }))
    return made
  }
}
