import GatehouseCore
import GatehouseStorage
import Logging

/// `NODE.BACKUP`, `NODE.READ` and `NODE.RELEASE`: the data folder for another machine. Whoever gets it has everything,
/// password hashes and keys included.
///
/// A connection's further requests wait for a piece, and a piece is not read before the client has taken the one before:
/// so a backup holds one piece in memory for each connection, however slow that is.
extension Connection {
  /// A lane copies a piece, and encrypts it on a connection with TLS, while other clients wait.
  private static let mostPieceBytes = 256 << 10

  func beginBackup() {
    let service = facts.service ?? 0
    later { context in
      var reply = Reply()
      do {
        let begun = try await onOwnThread(priority: .low) {
          try context.heldBackups.begin(for: service) {
            try HeldBackup(context.folder) { context.log.durableLSN }
          }
        }
        guard let begun else {
          reply.error(
            Refusal(
              .busy,
              "\(HeldBackups.most) backups are held already, as many as may be at a time; each goes with NODE.RELEASE, or "
                + "once nobody has read of it for a minute; try again then"
            ).text)
          return (reply, 0)
        }
        context.logger.notice(
          "a backup of the data folder is being fetched",
          metadata: ["service": "\(service)", "lsn": "\(begun.backup.lastLSN)", "bytes": "\(begun.backup.bytes)"])
        reply.backup(begun.backup, id: begun.id)
      } catch let error as CopyError {
        context.logger.error("a backup could not be begun", metadata: ["error": "\(error)"])
        // Paths are relative to the data folder, as `gatehousectl` shows them.
        let why = "\(error)".replacing("\(context.folder.path)/", with: "")
        let isDamage = if case .damaged = error { true } else { false }
        reply.error((isDamage ? Refusal(.refused, "backup: \(why)") : Refusal(.busy, why)).text)
      } catch {
        reply.error(context.refusal(for: error, of: "NODE.BACKUP").text)
      }
      return (reply, 0)
    }
  }

  func readBackup(_ request: Arguments) {
    let id = request.string(1)
    guard let file = Int(request.string(2)), let offset = UInt64(request.string(3)),
      let count = request.count > 4 ? Int(request.string(4)) : Self.mostPieceBytes
    else { return refuse(.syntax("NODE.READ takes a backup's id, a file's number, an offset and a count")) }
    guard (1...Self.mostPieceBytes).contains(count) else {
      return refuse(.syntax("a piece has 1 to \(Self.mostPieceBytes) bytes"))
    }
    guard let backup = lane.services.heldBackups.use(id, for: facts.service ?? 0) else { return refuse(Self.noBackup) }
    guard backup.files.indices.contains(file) else {
      return refuse(.notFound("file \(file); the backup has \(backup.files.count), from 0 on"))
    }
    guard offset <= backup.files[file].size else {
      return refuse(.syntax("the file has \(backup.files[file].size) bytes, and byte \(offset) is behind its end"))
    }
    later { context in
      let read = await context.backupPool.run {
        Result { () throws -> (bytes: [UInt8], hash: Hash128) in
          let bytes = try backup.read(file, at: offset, count: count)
          return (bytes, bytes.withUnsafeBytes { Hash128(of: $0) })
        }
      }
      var reply = Reply()
      switch read {
      case nil: reply.error(Refusal(.busy, "too many pieces of backups are being read; try again").text)
      case .success(let piece):
        reply.array(2)
        piece.bytes.withUnsafeBytes { reply.text($0) }
        reply.text("\(piece.hash)")
      case .failure(let error as CopyError): reply.error(Refusal.notFound("\(error)").text)
      case .failure(let error): reply.error(context.refusal(for: error, of: "NODE.READ").text)
      }
      return (reply, 0)
    }
  }

  func releaseBackup(_ request: Arguments) {
    guard lane.services.heldBackups.release(request.string(1), for: facts.service ?? 0) else {
      return refuse(Self.noBackup)
    }
    answer { $0.ok() }
  }

  private static let noBackup = Refusal.notFound(
    "backup; a service finds its own, until it is released, nobody has read of it for a minute, or the server is started "
      + "again; begin one with NODE.BACKUP")
}

extension Reply {
  fileprivate mutating func backup(_ backup: HeldBackup, id: String) {
    map(6)
    text("id")
    text(id)
    text("folder")
    text("\(backup.folderID)")
    text("first")
    integer(backup.firstLSN)
    text("last")
    integer(backup.lastLSN)
    text("bytes")
    integer(backup.bytes)
    text("files")
    array(backup.files.count)
    for file in backup.files {
      array(2)
      text(file.name)
      integer(file.size)
    }
  }
}
