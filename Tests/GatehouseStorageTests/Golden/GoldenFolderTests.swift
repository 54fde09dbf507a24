import Foundation
import GatehouseCore
import Testing

@testable import GatehouseStorage

/// Data folders written by released versions, with their expected contents. Every later version must open them: a
/// released format stays readable.
@Suite("Golden folders")
struct GoldenFolderTests {
  static let folders = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("folders")

  static let versions = ((try? FileManager.default.contentsOfDirectory(atPath: folders.path)) ?? [])
    .filter { $0.hasSuffix(".tar.gz") }.map { String($0.dropLast(".tar.gz".count)) }.sorted()

  /// The folders since version 3 are encrypted with a key that is no secret.
  private func key(of version: String) throws -> MasterKey? {
    guard version != "v1", version != "v2" else { return nil }
    return try MasterKey(parsing: Array(String(repeating: "0123456789abcdef", count: 4).utf8), source: "the test")
  }

  /// A copy of a folder, and its expected contents.
  private func unpacked(_ version: String) throws -> (place: TemporaryFolder, path: String, expected: [String: Any]) {
    let place = TemporaryFolder()
    let tar = Process()
    tar.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    tar.arguments = ["tar", "-xzf", Self.folders.appendingPathComponent("\(version).tar.gz").path, "-C", place.path]
    try tar.run()
    tar.waitUntilExit()
    try #require(tar.terminationStatus == 0)
    let json = try Data(contentsOf: Self.folders.appendingPathComponent("\(version).json"))
    let expected = try #require(try JSONSerialization.jsonObject(with: json) as? [String: Any])
    return (place, place.path + "/data", expected)
  }

  @Test func thereIsOneOfEveryReleasedVersion() { #expect(Self.versions == ["v1", "v2", "v3"]) }

  @Test(arguments: versions)
  func isVerifiedAsItWasLeft(_ version: String) throws {
    let (place, path, expected) = try unpacked(version)
    defer { withExtendedLifetime(place) {} }
    let folder = try DataFolder.look(at: path, key: key(of: version))
    // Version 0.1.0 reported the hash of the last frame, which is also valid as a head.
    let chain = "\(expected["last"] ?? ""):\(expected["chain"] ?? "")"
    let head = try #require(LogHead(expected["head"] as? String ?? chain))
    let files = try Verification.run(folder, against: head)
    let state = try StateVerification.run(folder, after: files, countsChanges: true)
    #expect(files.problems.isEmpty && state.problems.isEmpty)
    #expect(files.firstLSN == expected["first"] as? UInt64)
    #expect(files.lastLSN == expected["last"] as? UInt64)
    #expect(files.segments == expected["segments"] as? Int)
    #expect(files.snapshots.map(\.lsn) == expected["snapshots"] as? [UInt64])
    #expect(state.records == expected["records"] as? UInt64)
    #expect(state.changes == expected["changes"] as? [String: Int])
    try expectFigures(state.figures, expected)
  }

  @Test(arguments: versions)
  func isRecoveredAndWrittenOn(_ version: String) throws {
    let (place, path, expected) = try unpacked(version)
    defer { withExtendedLifetime(place) {} }
    let folder = try DataFolder.open(path, key: key(of: version))
    defer { folder.close() }
    let recovery = try Recovery.open(folder)
    defer { recovery.snapshot?.close() }
    #expect(recovery.report.warnings.isEmpty && folder.warnings.isEmpty)
    var state = Restoration(folder)
    try state.load(try #require(recovery.snapshot))
    let end = try recovery.read { lsn, bytes in try state.replay(lsn, bytes) }
    #expect(end.lastLSN == expected["last"] as? UInt64)
    #expect(state.firstSkipped == nil)
    if version == "v3" {
      #expect(try #require(folder.keys).generation > 0, "nobody was forgotten in it")
      let survey = try EncryptionSurvey(folder)
      #expect(survey.files.filter { $0.name.hasPrefix("keys") }.map(\.keys) == [[1], [1]])
      #expect(try DataFolder.look(at: path).cipher.isLocked)
    }
    #expect(Invariants.check(state.partitions, state.directory).isEmpty)
    try expectFigures(RestoredFigures(state), expected)

    let log = try folder.openLog(continuing: end, keptFrom: recovery.report.firstLSN)
    let header = RecordHeader(
      time: 0, service: 0, actor: nil, subject: nil, connection: 0, command: "COMPACT", reason: "")
    var record = ByteWriter()
    Record.encode(header, [SnapshotTaken(end.lastLSN).carried], into: &record)
    let lsn = try record.bytes.withUnsafeBytes { try log.append($0, at: header.time) }
    folder.closeLog(log)
    #expect(lsn == end.lastLSN + 1)
    let after = try Verification.run(folder)
    #expect(after.problems.isEmpty && after.lastLSN == lsn)
  }

  /// From the first record, without a snapshot: the archive has them all, and both ways give the same state.
  @Test(arguments: versions)
  func isReplayedFromItsFirstRecord(_ version: String) throws {
    let (place, path, expected) = try unpacked(version)
    defer { withExtendedLifetime(place) {} }
    for name in try FileManager.default.contentsOfDirectory(atPath: path + "/snapshots") {
      try FileManager.default.removeItem(atPath: path + "/snapshots/" + name)
    }
    try expectFigures(
      RestoredFigures(try Restoration.look(at: try DataFolder.look(at: path, key: key(of: version)))), expected)
  }

  /// The recorded figures must match; later versions may have more.
  private func expectFigures(_ figures: RestoredFigures?, _ expected: [String: Any]) throws {
    let found = try #require(figures).named
    let recorded = try #require(expected["state"] as? [String: Int])
    for (name, value) in recorded {
      #expect(found.first { $0.name == name }?.value == value, "\(name)")
    }
  }
}
