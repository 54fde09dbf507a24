import Testing

@testable import GatehouseStorage

/// The master key of the folders and logs that a test makes; nil for such in clear. The fixtures read it.
enum Encrypted {
  @TaskLocal static var key: MasterKey?

  static let testKey = key(1)

  /// One of several keys.
  static func key(_ number: UInt8) -> MasterKey {
    let text = (0..<32).map { Hexadecimal.text([UInt8($0) &* 7 &+ number]) }.joined()
    guard let key = try? MasterKey(parsing: Array(text.utf8), source: "the test") else {
      preconditionFailure("the text of a key")
    }
    return key
  }

  /// The cipher of a log that has no folder around it.
  static func cipher(folderID: Hash128) -> FolderCipher {
    guard let key else { return FolderCipher() }
    if let cipher = LogCiphers.shared { return cipher }
    return FolderCipher(KeyRing(folderID: folderID), master: key)
  }
}

/// A log without a folder has its keys in memory only; a log that is opened again must find the same.
enum LogCiphers {
  @TaskLocal static var shared: FolderCipher?
}

/// Runs each test of a suite twice: in clear, and with encryption on.
struct BothWays: SuiteTrait, TestTrait, TestScoping {
  var isRecursive: Bool { true }

  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    try await function()
    try await Encrypted.$key.withValue(Encrypted.testKey) {
      let cipher = FolderCipher(KeyRing(folderID: TestLog.folderID), master: Encrypted.testKey)
      try await LogCiphers.$shared.withValue(cipher) { try await function() }
    }
  }
}

extension Trait where Self == BothWays {
  /// Runs each test twice: in clear, and with encryption on.
  static var inClearAndEncrypted: BothWays { BothWays() }
}
