/// `IDEM key`, an idempotency key: repeating a command with the same key returns the first answer and changes nothing.
///
/// The key and the words of the command are kept as digests. A token in an answer is derived from the folder's secret
/// and from random bits drawn for this answer, its salt. The kept answer contains the salt in place of the token's
/// random part. So a repeated command gets the same token, even after a restart, but neither a reader of the log nor
/// somebody who knows the key and the words can derive it.
extension Turn {
  func decideOnce(_ body: (Turn) throws(Halt) -> Void) throws(Halt) {
    // A reason that cannot be recorded is refused instead of dropped.
    _ = try option("REASON", limit: Limits.reasonBytes)
    guard !spec.withheld.contains("IDEM"), let word = optionWord("IDEM") else {
      try body(self)
      return try requireVersionChecked()
    }
    // Tokens are random, so that a digest tells nothing of them; a password can be guessed from one.
    guard !hasSecretOption else {
      throw .refused(.syntax("IDEM cannot stand beside a password: the log would keep a digest of it; leave it out"))
    }
    let key = arguments[word]
    guard key.count >= 1, key.count <= Limits.idempotencyKeyBytes else {
      throw .refused(.syntax("IDEM must have 1 to \(Limits.idempotencyKeyBytes) bytes"))
    }
    let keyDigest = scoped(key)
    let words = wordsDigest(foldingNames: true)
    let partition = Int(truncatingIfNeeded: keyDigest.a) & (partitioning.count - 1)
    let cell = try cell(partition)
    if let kept = cell.state.answers.kept[keyDigest], kept.until > now {
      read(kept.lsn)
      // An answer kept by version 0.1.0 has the digest of the words exactly as written.
      guard
        kept.arguments.matches(words)
          || !connection.isBound && kept.arguments.matches(wordsDigest(foldingNames: false))
      else {
        throw .refused(
          .conflict(
            "idem: the key was used for another command\(connection.isBound ? ", or before the service was bound anew" : "")"
              + "; take a new key"))
      }
      guard !kept.isCleared else {
        throw .refused(
          .conflict(
            "idem: the command was done, and its answer is not kept any more, because somebody of whom it could tell was"
              + " anonymised or purged; see AUDIT.LIST, and take a new key to do it again"))
      }
      try requireOpen(kept.approval)
      return answer(kept, key, keyDigest)
    }
    read(cell.state.lsn)
    guard cell.state.answers.hasRoom(for: connection.service ?? 0, at: now) else {
      throw .refused(
        .limit(
          "idem: more than \(Limits.answersOfService) answers of a service, or \(Limits.answersOfPartition), are"
            + " remembered; try again later"))
    }
    let salt = SecretText.randomPart(entropy.draw())
    entropy.setSeed(seed(keyDigest, words, salt))
    defer { entropy.setSeed(nil) }
    named = NamedInWords()
    try body(self)
    try requireVersionChecked()
    // Kept even if nothing changed, because the same command could change something later.
    let people = try peopleOfReply()
    emit(
      AnswerKept(
        partition: partition, key: keyDigest, arguments: words, reply: stored(reply, salt), approval: askedFor,
        until: now + Limits.idempotencyLife, era: cell.state.answers.era, people: people))
  }

  /// Of whom the reply may say something: those who are changed, those whom the words or the reply name, and those who
  /// gave the command. Once somebody is forgotten, the reply of the very command that does it says nothing of them.
  private func peopleOfReply() throws(Halt) -> [SealKey] {
    if changes.contains(where: { $0.known is ContactAnonymised || $0.known is UserPurged }) { return [] }
    var people: Set<SealKey> = []
    var keys: [UInt64] = []
    for change in changes { change.known?.addKeys(to: &keys) }
    for key in keys {
      switch RecordKey.Subject(key) {
      case .user(let id): people.insert(.user(id))
      case .contact(let id): people.insert(.contact(id))
      case .actor, .workspace, .product, .service, .unplaced, .fact: break
      }
    }
    people.formUnion((named?.users ?? []).union(named?.authors ?? []).map(SealKey.user))
    people.formUnion((named?.contacts ?? []).map(SealKey.contact))
    if let principal = asUser { people.formUnion([.user(principal.actor), .user(principal.subject)]) }
    return try remembered(people)
  }

  /// Those of some people who were not forgotten before. What is said of the others is not theirs any more, and a snapshot
  /// could not keep an answer under a key that is gone.
  private func remembered(_ people: Set<SealKey>) throws(Halt) -> [SealKey] {
    try hold(Set(people.map { partitioning.partition(of: UserID(raw: $0.raw)) }))
    var remembered: [SealKey] = []
    for person in people.sorted() {
      let cell = try cell(partitioning.partition(of: UserID(raw: person.raw)))
      if !cell.state.isForgotten(person) { remembered.append(person) }
    }
    return remembered
  }

  /// Clears the answers that may say something of somebody who is forgotten.
  func forgetAnswers(about users: [UserID], _ contacts: [ContactID]) throws(Halt) {
    let people = users.map(SealKey.user) + contacts.map(SealKey.contact)
    for cell in try everything() {
      for key in cell.state.answers.keys(tellingOf: people) { emit(AnswerCleared(partition: cell.index, key: key)) }
    }
  }

  /// Refuses to repeat an answer that names a request which waits no longer: whoever repeats must not wait for it in vain,
  /// and must not have the command done twice.
  private func requireOpen(_ approval: ApprovalID?) throws(Halt) {
    guard let approval else { return }
    let cell = try cell(partitioning.partition(of: approval))
    read(cell.state.lsn)
    guard cell.state.approvals.open[approval]?.isOpen(at: now) ?? false else {
      throw .refused(
        .conflict(
          "idem: the command waited as approval #\(approval.raw), which was granted, refused or is too old by now; see"
            + " AUDIT.LIST, and take a new key to ask again"))
    }
  }

  private func requireVersionChecked() throws(Halt) {
    if !spec.withheld.contains("IFVERSION"), has("IFVERSION"), !isVersionChecked {
      throw .refused(.syntax("IFVERSION has no meaning here: \(spec.name) is not about one thing with a version"))
    }
  }

  /// A key belongs to whoever the command runs for: to the service, or through `AS` to its user, and in an impersonation
  /// to both users. Two of them with the same key are independent, and none reads what another was answered. Neither does
  /// the same user with less power: with an API key, after a temporary password, or in an impersonation that is bound to a
  /// workspace.
  private func scoped(_ key: UnsafeRawBufferPointer) -> Digest {
    var writer = ByteWriter()
    writer.varint(connection.service ?? 0)
    writer.block(key)
    if let user = userPrincipal {
      writer.id(user.actor)
      writer.id(user.subject)
      // Nothing for a session with all of the user's power, so that answers of earlier versions are found.
      if user.isByKey || user.boundTo != nil || user.mustChangePassword {
        writer.flag(user.isByKey)
        writer.flag(user.mustChangePassword)
        writer.varint(user.boundTo ?? 0)
      }
    }
    return writer.withBytes(digest)
  }

  /// The digest of the command's words. The case of command and option names does not matter; values are compared byte
  /// by byte. The token after `AS` is not among them: whoever retries may have logged in anew. What a service is bound to is
  /// among them (W6): bound anew, it does not get again what it could not get now.
  private func wordsDigest(foldingNames: Bool) -> Digest {
    var writer = ByteWriter()
    for index in 0..<arguments.count where !isDryRunMark(index) {
      if foldingNames, isName(index) {
        let name = arguments[index].map { $0 &- 0x61 < 26 ? $0 & 0xdf : $0 }
        name.withUnsafeBytes { writer.block($0) }
      } else {
        writer.block(arguments[index])
      }
    }
    if connection.isBound, let service = connection.service.flatMap({ directory.service($0) }) {
      writer.list(service.products ?? service.workspaces ?? []) { $0.varint($1) }
      writer.flag(service.products != nil)
    }
    return writer.withBytes(digest)
  }

  /// A command that is only tried is the same as the one that is done.
  private func isDryRunMark(_ index: Int) -> Bool {
    chosen.contains { spec.tokens[$0.option] == "DRYRUN" && $0.word - 1 == index }
  }

  /// Whether a word is the name of the command or of an option.
  private func isName(_ index: Int) -> Bool {
    index == 0 || chosen.contains { $0.word - (spec.options[$0.option].isCounted ? 2 : 1) == index }
  }

  private func seed(_ keyDigest: Digest, _ words: Digest, _ salt: String) -> Digest {
    var writer = ByteWriter()
    writer.digest(folderSecret)
    writer.digest(keyDigest)
    writer.digest(words)
    writer.text(salt)
    return writer.withBytes(digest)
  }

  /// The seed of an answer without a salt, as version 0.1.0 kept them. Such answers expire after a day.
  private func seed(withoutSalt key: UnsafeRawBufferPointer, _ words: Digest) -> Digest {
    var writer = ByteWriter()
    writer.digest(folderSecret)
    writer.block(key)
    writer.digest(words)
    return writer.withBytes(digest)
  }

  /// The reply with the salt in place of its secrets.
  private func stored(_ reply: Reply, _ salt: String) -> Reply {
    mapSecrets(reply) { $0.dropLast(SecretText.randomCount) + salt }
  }

  private func answer(_ kept: RememberedAnswer, _ key: UnsafeRawBufferPointer, _ keyDigest: Digest) {
    // All secrets of an answer share its salt.
    let secret = kept.reply.nodes.first { $0.kind == .secret }.map { kept.reply.text(of: $0) } ?? ""
    let salt = String(secret.dropFirst(SecretText.visibleCount))
    entropy.setSeed(salt.isEmpty ? seed(withoutSalt: key, kept.arguments) : seed(keyDigest, kept.arguments, salt))
    defer { entropy.setSeed(nil) }
    reply = mapSecrets(kept.reply) { $0.prefix(SecretText.visibleCount) + SecretText.randomPart(entropy.draw()) }
  }

  private func mapSecrets(_ reply: Reply, _ change: (String) -> Substring) -> Reply {
    var result = Reply()
    for node in reply.nodes {
      if node.kind == .secret {
        result.secret(String(change(reply.text(of: node))))
      } else {
        result.append(node, of: reply)
      }
    }
    return result
  }
}
