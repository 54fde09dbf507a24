import Testing

@testable import GatehouseStorage

@Suite struct StagingTests {
  private func append(_ count: Int, to staging: inout Staging) throws {
    for _ in 0..<count {
      _ = try [UInt8](repeating: 1, count: 100).withUnsafeBytes { (bytes) throws(LogRefusal) in
        try staging.append(bytes, at: 1, admits: { _ in true })
      }
    }
  }

  /// What a shared log waits for before its next commit: as many records as the last one had.
  @Test func recordsAreGatheredUntilThereAreAsManyAsBefore() throws {
    var options = LogOptions()
    options.maximumPendingBytes = 4000
    var staging = Staging(nextLSN: 1, options: options)
    var lacks = staging.lacks(3)
    #expect(!lacks, "nothing is no reason to wait")
    try append(2, to: &staging)
    lacks = staging.lacks(3)
    #expect(lacks)
    let lacksFewer = staging.lacks(2)
    #expect(!lacksFewer)

    // A pending order, and much that is pending, do not wait.
    staging.wantsSync = true
    lacks = staging.lacks(3)
    #expect(!lacks)
    staging.wantsSync = false
    try append(10, to: &staging)
    lacks = staging.lacks(100)
    #expect(!lacks)
  }
}
