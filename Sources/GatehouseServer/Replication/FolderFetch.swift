import GatehouseCore
import GatehouseStorage
import GatehouseWire
import Logging

/// Fetches the data folder of another node, over that node's port: a follower begins as a copy.
struct FolderFetch {
  let configuration: ServerConfiguration
  let provider: any SharedLogProvider
  let settings: ReplicationSettings
  /// Of an encrypted folder.
  let key: MasterKey?
  /// Of this node.
  let entry: NodeEntry
  let logger: Logger
  /// Asked while it waits or fetches.
  let mustStop: @Sendable () -> Bool
  /// Called if this node's name is another one's.
  let onRefusal: @Sendable (SharedLogError) -> Void

  private static let pause = Duration.milliseconds(500)

  /// Why it cannot be done now, although it may later.
  private struct Postponed: Error, CustomStringConvertible {
    let description: String
  }

  /// Waits while no node can be fetched from, and begins anew when one is lost in the middle.
  ///
  /// - Parameters:
  ///   - folderID: of the folder that is to be fetched; nil for the one whose log is shared.
  ///   - aside: the name that this node's own folder gets, once the other one is here.
  /// - Returns: this node's entry, which keeps the frames that come after the folder, until the node has joined.
  /// - Throws: `StartFailure` for what does not go away by itself, or an error of the disk.
  func run(_ folderID: Hash128?, keeping aside: String? = nil) async throws -> StartPresence? {
    let access = try NodeAccess(configuration)
    var told = ""
    while true {
      let problem: String
      do {
        let (address, presence) = try await source(folderID)
        do {
          try await fetch(address, access, folderID, aside)
          return presence
        } catch {
          await presence?.leave()
          throw error
        }
      } catch let error as Postponed {
        problem = "\(error)"
      } catch let error as SharedLogError {
        guard case .unreachable = error else { throw StartFailure.configuration("\(error)") }
        problem = "\(error)"
      }
      if problem != told { logger.warning("\(problem); trying again") }
      told = problem
      if mustStop() { throw CancellationError() }
      try await Task.sleep(for: Self.pause)
    }
  }

  // MARK: From whom

  /// From whom the folder is fetched, and this node's entry, which keeps the frames that come after it.
  private func source(_ folderID: Hash128?) async throws -> (NodeAddress, StartPresence?) {
    if let address = configuration.fetchFrom.flatMap({ NodeAddress($0) }) {
      return (address, await presence(folderID))
    }
    let shared = try await provider.open(settings, folderID: try await folder(folderID))
    do {
      let status = try await shared.status()
      return (try address(status), presence(shared, status))
    } catch {
      await shared.leave()
      throw error
    }
  }

  /// nil if the shared log does not tell: a folder is fetched all the same from a node whose address is known.
  private func presence(_ folderID: Hash128?) async -> StartPresence? {
    guard let folder = try? await folder(folderID),
      let shared = try? await provider.open(settings, folderID: folder)
    else { return nil }
    if let status = try? await shared.status(), status.tail != nil { return presence(shared, status) }
    await shared.leave()
    return nil
  }

  /// The folder that is fetched has at least what the slowest node has now.
  private func presence(_ shared: any SharedLog, _ status: SharedLogStatus) -> StartPresence {
    let others = status.nodes.filter { $0.name != entry.name }.map(\.index)
    let index = min(others.min() ?? .max, status.tail?.index ?? 0)
    return StartPresence(shared, entry, at: index, onRefusal: onRefusal)
  }

  private func address(_ status: SharedLogStatus) throws -> NodeAddress {
    guard status.tail != nil else { throw SharedLogError.missing }
    let nodes = status.nodes.filter { $0.name != entry.name } + (status.leader.map { [$0.node] } ?? [])
    if let name = configuration.fetchFrom {
      guard let node = nodes.last(where: { $0.name == name }) else {
        let heard = Set(nodes.map(\.name)).sorted().joined(separator: ", ")
        throw Postponed(
          description: "the node \(name), which the folder is to be fetched from, was not heard of"
            + (heard.isEmpty ? ", and neither was any other" : "; those that were are \(heard)"))
      }
      return try address(of: node)
    }
    guard let leader = status.leader?.node else {
      throw Postponed(
        description: "no node leads that the folder could be fetched from; start the others first, or name one with "
          + "--fetch-from")
    }
    return try address(of: leader)
  }

  /// Of a snapshot that a newer version has taken, this one would skip what it does not know, and lose it.
  private func address(of node: NodeEntry) throws -> NodeAddress {
    guard !Version.isNewer(node.version) else {
      throw StartFailure.configuration(
        "\(node.name) has version \(node.version), which is newer than this one (\(Version.current)): start that version "
          + "here, or have the folder fetched from a node of this version with --fetch-from")
    }
    return NodeAddress(host: node.host, port: node.port)
  }

  private func folder(_ folderID: Hash128?) async throws -> Hash128 {
    if let folderID { return folderID }
    let folders = try await provider.folders(settings)
    guard let only = folders.first else { throw SharedLogError.missing }
    guard folders.count == 1 else {
      throw StartFailure.configuration(
        "\(settings.address) keeps the logs of several folders (\(folders.map { "\($0)" }.joined(separator: ", "))); say "
          + "with --fetch-from host:port which node's folder is to be fetched")
    }
    return only
  }

  // MARK: Fetching

  private func fetch(
    _ address: NodeAddress, _ access: NodeAccess, _ folderID: Hash128?, _ aside: String?
  ) async throws {
    let path = configuration.dataPath
    let report = try await onOwnThread { [self] () throws -> CopyReport in
      do {
        return try receive(address, access, folderID, aside)
      } catch let error as ClientError {
        switch error {
        case .untrusted, .notTLS:
          throw StartFailure.configuration("\(address.text): \(error); see to \(NodeAccess.tlsSettings)")
        case .unknownHost, .refused, .timedOut, .closed, .closedUnanswered, .broken, .malformedReply:
          throw Postponed(description: "the folder cannot be fetched from \(address.text): \(error)")
        }
      } catch let refusal as RemoteBackup.Refusal {
        throw failure(refusal, address)
      } catch let error as DiskError where ["mkdir", "rename"].contains(error.call) {
        throw StartFailure.io(
          "\(error); a folder that is fetched is made beside \(path) and renamed: this user must be allowed to write there, "
            + "and \(path) must not be mounted by itself")
      } catch let error as CopyError {
        switch error {
        case .notEmpty, .inside, .unfinished, .mounted: throw StartFailure.configuration("\(error)")
        case .noRoom: throw StartFailure.io("\(error)")
        default: throw StartFailure.dataUnreadable("the folder of \(address.text) was not taken: \(error)")
        }
      }
    }
    logger.notice(
      "the data folder of another node is here",
      metadata: ["from": "\(address.text)", "lsn": "\(report.lastLSN)", "data": "\(path)"])
  }

  private func receive(
    _ address: NodeAddress, _ access: NodeAccess, _ folderID: Hash128?, _ aside: String?
  ) throws -> CopyReport {
    func check() throws {
      if mustStop() { throw CancellationError() }
    }
    let backup = try RemoteBackup(while: check) { try access.connect(to: address) }
    defer { backup.release() }
    if let folderID, backup.folder != "\(folderID)" {
      throw StartFailure.configuration(
        "\(address.text) has the folder \(backup.folder), and this node's is \(folderID); name a node of this cluster with "
          + "--fetch-from")
    }
    let bytes = backup.bytes
    logger.notice(
      "fetching the data folder of another node",
      metadata: ["from": "\(address.text)", "bytes": "\(bytes)", "data": "\(configuration.dataPath)"])
    var told = ContinuousClock.now
    var done: UInt64 = 0
    return try Backup.receive(
      backup.files.map { ArrivingFile(name: $0.name, size: $0.size) }, as: configuration.dataPath, keeping: aside,
      key: key, needsKey: true,
      progress: { progress in
        try check()
        guard progress.part != .verification else { return }
        done += progress.done
        guard ContinuousClock.now - told >= .seconds(10) else { return }
        told = .now
        logger.info("fetching", metadata: ["bytes": "\(done)", "of": "\(bytes)"])
      },
      fetch: { file, take in
        try backup.fetch(file, while: check) {
          try take(ArrivingPiece(offset: $0.offset, bytes: $0.bytes, hash: $0.hash))
        }
      })
  }

  /// What a refusal means for this start.
  private func failure(_ refusal: RemoteBackup.Refusal, _ address: NodeAddress) -> any Error {
    switch refusal.code {
    case "BUSY", "LOADING", "NOTFOUND", "MASTERDOWN":
      return Postponed(description: "\(address.text) hands out no folder now: \(refusal.text)")
    case "NOAUTH", "WRONGPASS", "NOPERM":
      return StartFailure.configuration(
        "\(address.text) does not hand out its folder: \(refusal.text); make a service that may (SERVICE.CREATE name "
          + "ADMIN, bound to no workspace), and give its name with --fetch-service and its secret with "
          + "--fetch-secret-file")
    case "REFUSED":
      return StartFailure.dataUnreadable("\(address.text) does not hand out its folder: \(refusal.text)")
    default:
      return StartFailure.configuration(
        "\(address.text) does not hand out its folder: \(refusal.text); if it runs an earlier version, start this one "
          + "there first")
    }
  }
}

/// How another node is reached, and as whom.
private struct NodeAccess: Sendable {
  static let tlsSettings = "--fetch-authority, --fetch-certificate and --fetch-key"

  private let name: String?
  private let secret: String
  private let tls: TLSConnector?

  private static let longestSecret = 4096

  init(_ configuration: ServerConfiguration) throws {
    name = configuration.fetchService
    secret = try configuration.fetchSecretFile.map { try Self.secret(in: $0) } ?? ""
    let files = ClientTLS(
      authorities: configuration.fetchAuthority, certificate: configuration.fetchCertificate,
      key: configuration.fetchKey)
    // Nodes of a cluster are set up alike.
    tls = configuration.tlsPort > 0 || files != ClientTLS() ? try TLSConnector(files) : nil
  }

  private static func secret(in file: String) throws(StartFailure) -> String {
    let bytes: [UInt8]
    do throws(DiskError) {
      bytes = try PosixDisk().readFile(file, limit: longestSecret)
    } catch {
      throw .configuration("the secret of --fetch-service cannot be read: \(error)")
    }
    let secret = String(decoding: bytes, as: UTF8.self).trimmingSuffix { $0.isNewline }
    guard !secret.isEmpty else {
      throw .configuration("\(file), which should hold the secret of --fetch-service, is empty")
    }
    return secret
  }

  func connect(to address: NodeAddress) throws -> BlockingClient {
    let client = try BlockingClient(host: address.host, port: address.port, tls: tls)
    let greeting = ["HELLO", "3"] + (name.map { ["AUTH", $0, secret] } ?? []) + ["SETNAME", "fetch"]
    if let text = try client.command(greeting).errorText { throw RemoteBackup.Refusal(text: text) }
    return client
  }
}

extension String {
  fileprivate func trimmingSuffix(while isUnwanted: (Character) -> Bool) -> String {
    var text = self[...]
    while let last = text.last, isUnwanted(last) { text.removeLast() }
    return String(text)
  }
}

extension ServerConfiguration {
  /// Whether this node may fetch another's folder in the place of its own.
  var mayFetchAnew: Bool { fetchService != nil || fetchCertificate != nil || fetchFrom != nil }
}
