import GatehouseCore
import GatehouseStorage
import Logging

/// The commands about the encryption of the data folder. No key comes or goes through a connection: a rotation reads the
/// master key from where the settings say.
extension Connection {
  func encryption(_ command: ServerCommand.Encryption, _ request: Arguments) {
    if command != .status, serverFacts.node.isReplicated {
      // The keys are in the folders and not in the log: the other nodes could not read what is written with a new one.
      return refuse(
        .rule(
          "nodes", "the encryption cannot be changed while the log is shared with other nodes",
          instead: "stop all nodes, run `gatehousectl encryption` on the folder of the one that led, copy its keyring "
            + "and keyring.copy to the others, and start them again"))
    }
    switch command {
    case .status: encryptionStatus()
    case .rotate:
      if request.count > 2, request.string(2).lowercased() != "rewrite" {
        return refuse(.syntax("syntax error; ENCRYPTION ROTATE takes REWRITE or nothing"))
      }
      changeEncryption(rewrites: request.count > 2) { context in
        guard context.folder.cipher.hasRing else { throw EncryptionRefusal.noRing }
        let source = try context.facts.current.keySource()
        try context.folder.rotateKeys(to: source?.read())
      }
    case .on:
      changeEncryption { context in
        guard context.folder.cipher.hasRing else { throw EncryptionRefusal.noRing }
        guard context.folder.cipher.currentNumber == 0 else { return }
        let source = context.folder.cipher.isReleased ? try context.facts.current.keySource() : nil
        try context.folder.turnEncryptionOn(under: source?.read())
      }
    case .off:
      changeEncryption { context in
        guard context.folder.cipher.hasRing, context.folder.cipher.currentNumber != 0 else { return }
        try context.folder.turnEncryptionOff()
      }
    }
  }

  /// Changes the key ring on a thread of its own, and begins a new segment, so that the files before it can go.
  private func changeEncryption(
    rewrites: Bool = false, _ change: @escaping @Sendable (ServerContext) throws -> Void
  ) {
    let header = RecordHeader(
      time: 0, service: facts.service ?? 0, actor: nil, subject: nil, connection: client.id, command: "ENCRYPTION",
      reason: "")
    later { context in
      var reply = Reply()
      var isChanged = false
      do {
        try await onOwnThread(priority: .low) { try change(context) }
        isChanged = true
        context.log.rotate()
        try await context.recordKeyChange(header)
        context.logger.notice(
          "the encryption of the data folder was changed",
          metadata: [
            "master": "\(context.folder.cipher.masterID ?? "")", "data-key": "\(context.folder.cipher.currentNumber)",
          ])
        if rewrites { try await context.persistence.rewrite(context) }
        reply.map(2)
        reply.show(context.folder.cipher)
      } catch let error as EncryptionError {
        reply.error(Refusal.syntax("\(error)").text)
      } catch let error as EncryptionRefusal {
        reply.error(Refusal.syntax("\(error)").text)
      } catch {
        let what =
          isChanged
          ? "the keys were changed, and what was written before was not rewritten; COMPACT or ENCRYPTION ROTATE REWRITE go on"
          : "the encryption was not changed"
        reply.error(Refusal(.busy, "\(what): \(error)").text)
      }
      return (reply, 0)
    }
  }

  private func encryptionStatus() {
    later { context in
      var reply = Reply()
      do {
        let survey = try await onOwnThread(priority: .low) { try EncryptionSurvey(context.folder) }
        let bytes = survey.bytesByKey
        reply.map(4)
        reply.show(context.folder.cipher)
        reply.text("bytes-in-clear")
        reply.integer(bytes[0] ?? 0)
        reply.text("bytes-by-data-key")
        let keys = bytes.keys.filter { $0 != 0 }.sorted()
        reply.map(keys.count)
        for key in keys {
          reply.text("\(key)")
          reply.integer(bytes[key] ?? 0)
        }
      } catch {
        reply.error(Refusal(.busy, "the files could not be looked at: \(error)").text)
      }
      return (reply, 0)
    }
  }
}

private enum EncryptionRefusal: Error, CustomStringConvertible {
  case noRing

  var description: String {
    "the data folder is not encrypted: give the server a key with encryption-key-file, encryption-key-command or "
      + "\(KeySource.variable), and start it again"
  }
}

extension Reply {
  /// Two entries of a map.
  fileprivate mutating func show(_ cipher: FolderCipher) {
    text("master")
    if let id = cipher.masterID { text(id) } else { null() }
    text("data-key")
    integer(cipher.currentNumber)
  }
}

extension ServerContext {
  /// Records in the trail that the keys of the encryption were changed, if it does not tell so yet.
  ///
  /// - Parameter header: says who changed them; its time is set.
  func recordKeyChange(_ header: RecordHeader) async throws {
    guard let change = folder.unnotedKeyChange else { return }
    var header = header
    header.time = clock.milliseconds
    let lsn = try log.append(&header, [change.carried])
    log.wake()
    guard await sync(through: lsn, while: { !(log.state == .full || isStopping) }) else {
      throw Persistence.Failure.logStopped
    }
    try await onOwnThread(priority: .low) { [folder] in try folder.noteKeyChangeRecorded(change) }
  }

  /// The same at the start, for a change that was made while no server ran, or before a crash.
  func recordEarlierKeyChange() async {
    do {
      try await recordKeyChange(
        RecordHeader(
          time: 0, service: 0, actor: nil, subject: nil, connection: 0, command: "ENCRYPTION",
          reason: "found at the start"))
    } catch {
      logger.warning(
        "the trail does not tell of a change of the encryption's keys; the next start tries again",
        metadata: ["error": "\(error)"])
    }
  }
}
