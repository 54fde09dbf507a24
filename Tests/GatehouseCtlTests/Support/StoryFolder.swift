import Foundation
import GatehouseStorage
import GatehouseTestSupport

/// A data folder with the story in three segments, with a snapshot after each of the first two. Made once by a real
/// server; every test works on a copy.
enum StoryFolder {
  private static let original = Result { try make() }

  /// A copy that a test may damage.
  static func copied() throws -> (folder: TemporaryFolder, data: String) {
    let folder = try TemporaryFolder("story")
    try copy(try original.get().dataPath, to: folder.path("data"))
    return (folder, folder.path("data"))
  }

  private static func make() throws -> TestServer {
    let server = try TestServer()
    for chapter in 0..<Story.chapters {
      if chapter > 0 {
        try beginSegment(server.dataPath)
        try server.start()
      }
      let gate = try server.client()
      try Story.tell(chapter, to: gate)
      if chapter < 2 { try gate.ok("SAVE") }
      try server.terminate()
    }
    return server
  }

  /// Ends the segment of a log without a server, and begins another.
  static func beginSegment(_ path: String, key: String? = nil) throws {
    let folder = try DataFolder.open(
      path, key: try key.map { try MasterKey(parsing: Array($0.utf8), source: "the test") })
    defer { folder.close() }
    let recovery = try Recovery.open(folder)
    defer { recovery.snapshot?.close() }
    let end = try recovery.read { _, _ in }
    let log = try folder.openLog(continuing: end, keptFrom: recovery.report.firstLSN)
    log.rotate()
    defer { folder.closeLog(log) }
    try eventually("a new segment is begun", within: .seconds(30)) {
      log.statistics.currentSegment > end.segment ?? 0
    }
  }

  /// The segments of a log, in order.
  static func segments(_ path: String) throws -> [String] {
    try names(in: "\(path)/log").filter { $0.hasSuffix(".log") }
  }
}
