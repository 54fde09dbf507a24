internal import Glibc

/// A backup of a running server's folder (`NODE.BACKUP`), fetched piece by piece. For one thread.
///
/// If the connection breaks, it connects again and goes on where it was. It is the server that lets go of the backup, or
/// forgets it when it is started again; then there is nothing to go on with.
package final class RemoteBackup {
  package struct File: Sendable, Equatable {
    package var name: String
    package var size: UInt64
  }

  package struct Piece {
    package var offset: UInt64
    package var bytes: [UInt8]
    package var hash: String
  }

  /// The server answered with an error, which is the text.
  package struct Refusal: Error, Equatable, CustomStringConvertible {
    package var text: String

    package init(text: String) { self.text = text }

    package var description: String { "the server refused: \(text)" }

    /// Its first word.
    package var code: Substring { text.prefix { $0 != " " } }
  }

  package let files: [File]
  /// The id of the data folder.
  package let folder: String
  package var bytes: UInt64 { files.reduce(0) { $0 + $1.size } }

  private let id: String
  private let connect: () throws -> BlockingClient
  private var client: BlockingClient
  /// How many requests are not answered yet.
  private var awaited = 0

  /// How many bytes are asked for at once, and how many pieces before the first of them has come, so that the way there
  /// and back costs nothing.
  private static let pieceBytes = 256 << 10
  private static let ahead = 16
  /// The server reads the headers of its whole log before it answers.
  private static let beginPatience = Duration.seconds(120)
  private static let piecePatience = Duration.seconds(15)
  /// For how long a broken connection is made anew before that is given up.
  private static let reconnectPatience = Duration.seconds(30)
  private static let pause: UInt32 = 200_000

  /// Has a server begin a backup.
  ///
  /// - Parameters:
  ///   - goesOn: throws to stop while it waits.
  ///   - connect: makes a connection that is authenticated.
  package init(while goesOn: () throws -> Void = {}, _ connect: @escaping () throws -> BlockingClient) throws {
    self.connect = connect
    let client = try connect()
    self.client = client
    client.timeout = Self.beginPatience
    client.send(["NODE.BACKUP"])
    let reply = try client.reply(while: goesOn)
    if let text = reply.errorText { throw Refusal(text: text) }
    guard let id = reply["id"]?.string, let folder = reply["folder"]?.string, let listed = reply["files"]?.elements
    else {
      throw ClientError.malformedReply(.malformed)
    }
    self.id = id
    self.folder = folder
    files = try listed.map { file in
      guard let parts = file.elements, parts.count == 2, let name = parts[0].string, let size = parts[1].integer,
        size >= 0
      else { throw ClientError.malformedReply(.malformed) }
      return File(name: name, size: UInt64(size))
    }
    client.timeout = Self.piecePatience
  }

  /// Fetches a whole file.
  ///
  /// - Parameters:
  ///   - file: its place in `files`.
  ///   - goesOn: throws to stop while it waits.
  ///   - take: is handed one piece after the other.
  package func fetch(_ file: Int, while goesOn: () throws -> Void = {}, _ take: (Piece) throws -> Void) throws {
    var done: UInt64 = 0
    var progressAt = ContinuousClock.now
    while done < files[file].size {
      try goesOn()
      do {
        try fetch(file, from: &done, &progressAt, goesOn, take)
      } catch let error as ClientError {
        guard ContinuousClock.now - progressAt < Self.reconnectPatience else { throw error }
        usleep(Self.pause)
        // If it cannot be made now, the next round finds it broken and tries again.
        if let again = try reconnected() { client = again }
      }
    }
  }

  /// Fetches pieces until the file is whole. Several are asked for ahead.
  private func fetch(
    _ file: Int, from done: inout UInt64, _ progressAt: inout ContinuousClock.Instant,
    _ goesOn: () throws -> Void, _ take: (Piece) throws -> Void
  ) throws {
    let size = files[file].size
    var asked = done
    while done < size {
      while asked < size, asked - done < UInt64(Self.ahead * Self.pieceBytes) {
        client.send(["NODE.READ", id, "\(file)", "\(asked)", "\(Self.pieceBytes)"])
        awaited += 1
        asked += min(UInt64(Self.pieceBytes), size - asked)
      }
      let reply = try client.reply(while: goesOn)
      awaited -= 1
      if let text = reply.errorText { throw Refusal(text: text) }
      guard let parts = reply.elements, parts.count == 2, case .bulk(let bytes) = parts[0], let hash = parts[1].string,
        bytes.count == Int(min(UInt64(Self.pieceBytes), size - done))
      else { throw ClientError.malformedReply(.malformed) }
      try take(Piece(offset: done, bytes: bytes, hash: hash))
      done += UInt64(bytes.count)
      progressAt = .now
    }
  }

  private func reconnected() throws -> BlockingClient? {
    client.close()
    awaited = 0
    do {
      let again = try connect()
      again.timeout = Self.piecePatience
      return again
    } catch let error as ClientError {
      switch error {
      case .refused, .timedOut, .closed, .closedUnanswered, .broken, .unknownHost: return nil
      case .malformedReply, .untrusted, .notTLS: throw error
      }
    }
  }

  /// Lets the server let go of the backup at once; if that does not succeed, it does so after a while by itself.
  package func release() {
    if awaited > 0, let again = try? reconnected() { client = again }
    client.timeout = .seconds(1)
    _ = try? client.command("NODE.RELEASE", id)
    client.close()
  }
}
