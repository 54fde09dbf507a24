/// `IDEM key`: the same command under the same key answers as the first time and does nothing again.
///
/// The key and the words of the command are kept as digests. Tokens in the answer are kept without their
/// random part, which under a key is drawn from key and command (`Entropy.setSeed`), so that the same
/// command can be answered with the same token although nobody who reads the log can learn it.
extension Turn {
  func decideOnce(_ body: (Turn) throws(Halt) -> Void) throws(Halt) {
    // A reason that cannot be recorded as it was given is refused, not dropped.
    _ = try option("REASON", limit: Limits.reasonBytes)
    guard let word = optionWord("IDEM") else {
      try body(self)
      return try requireVersionChecked()
    }
    let key = arguments[word]
    guard key.count >= 1, key.count <= Limits.idempotencyKeyBytes else {
      throw .refused(.syntax("IDEM must have 1 to \(Limits.idempotencyKeyBytes) bytes"))
    }
    let keyDigest = scoped(key)
    let words = wordsDigest()
    let partition = Int(truncatingIfNeeded: keyDigest.a) & (partitioning.count - 1)
    let cell = try cell(partition)
    if let kept = cell.state.answers[keyDigest], kept.until > now {
      read(kept.lsn)
      guard kept.arguments.matches(words) else {
        throw .refused(.conflict("idem: the key was used for another command; take a new key"))
      }
      return answer(kept.reply, seed: seed(key, words))
    }
    read(cell.state.lsn)
    entropy.setSeed(seed(key, words))
    defer { entropy.setSeed(nil) }
    try body(self)
    try requireVersionChecked()
    // Also where nothing was to change: the same command could change something later.
    emit(.answerKept(KeptAnswer(partition: partition, key: keyDigest, arguments: words, reply: stored(reply))))
  }

  private func requireVersionChecked() throws(Halt) {
    if has("IFVERSION"), !isVersionChecked {
      throw .refused(.syntax("IFVERSION has no meaning here: \(spec.name) is not about one thing with a version"))
    }
  }

  /// Keys of different services do not meet.
  private func scoped(_ key: UnsafeRawBufferPointer) -> Digest {
    var writer = ByteWriter()
    writer.varint(connection.service ?? 0)
    writer.block(key)
    return writer.withBytes(digest)
  }

  private func wordsDigest() -> Digest {
    var writer = ByteWriter()
    if let authority { writer.block(authority) }
    for index in 0..<arguments.count { writer.block(arguments[index]) }
    return writer.withBytes(digest)
  }

  private func seed(_ key: UnsafeRawBufferPointer, _ words: Digest) -> Digest {
    var writer = ByteWriter()
    writer.digest(folderSecret)
    writer.block(key)
    writer.digest(words)
    return writer.withBytes(digest)
  }

  /// The reply with its secrets cut down to what is not secret.
  private func stored(_ reply: Reply) -> Reply {
    mapSecrets(reply) { String($0.dropLast(SecretText.randomCount)) }
  }

  private func answer(_ kept: Reply, seed: Digest) {
    entropy.setSeed(seed)
    reply = mapSecrets(kept) { $0 + SecretText.randomPart(self.entropy.draw()) }
    entropy.setSeed(nil)
  }

  private func mapSecrets(_ reply: Reply, _ change: (String) -> String) -> Reply {
    var result = Reply()
    for node in reply.nodes {
      if node.kind == .secret { result.secret(change(reply.text(of: node))) } else { result.append(node, of: reply) }
    }
    return result
  }
}
