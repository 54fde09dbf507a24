import GatehouseCore
import GatehouseStorage
import GatehouseTestSupport
import Logging
import Synchronization
@testable import GatehouseServer

/// A server's data and a lane with a thread, without a socket.
final class TestContext {
  let context: ServerContext
  let lane: Lane
  private let place: TemporaryFolder
  private let folder: DataFolder

  init() async throws {
    place = try TemporaryFolder("context")
    folder = try DataFolder.open(place.path("data"), create: FolderParameters(partitionCount: 4, createdAt: 0))
    var configuration = ServerConfiguration()
    configuration.dataPath = folder.path
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let facts = ServerFacts(configuration: configuration, logger: logger)
    let lane = try Lane(index: 0, facts: facts)
    self.lane = lane
    lane.loop.start { lane.tick() }
    let opening = Opening(
      folder: folder, partitioning: Partitioning(folder.manifest), configuration: configuration,
      zones: TestZones.table, hasher: try PasswordHasher(configuration), logger: logger)
    context = try await opening.open([lane], facts)
    facts.phase.store(.ready, ordering: .releasing)
  }

  /// Ends everything that the end of a server ends.
  func stop() async {
    await context.settle()
    folder.closeLog(context.log)
    lane.loop.stop()
    folder.close()
  }

  /// The only caller while there are no services.
  static let local = ConnectionFacts(id: 1, service: 0, rights: .all)

  func execute(_ line: String) async -> String {
    await context.text(line.split(separator: " ").map(String.init))
  }
}

extension ServerContext {
  /// Runs a command, and returns the texts of its reply.
  func text(_ words: [String]) async -> String {
    let reply = await execute(OwnedArguments(words), for: TestContext.local)
    return reply.nodes.map {
      $0.kind.isText ? reply.text(of: $0) : "\($0.kind) \($0.kind == .integer ? $0.value : Int64($0.count))"
    }
    .joined(separator: " ")
  }
}
