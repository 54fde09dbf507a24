/// The bounds that keep one request, one user or one workspace from growing without end.
package enum Limits {
  package static let usernameBytes = 256
  package static let nameBytes = 64
  package static let textBytes = 4096
  /// A field of a person that is a word or a line: a name, a department, a phone number.
  package static let fieldBytes = 256
  package static let reasonBytes = 1024
  package static let idempotencyKeyBytes = 128
  /// How long an answer is remembered under its `IDEM` key.
  package static let idempotencyLife: Milliseconds = 24 * 3600 * 1000
  package static let workspaces = 65_000
  package static let products = 65_000
  package static let poolsOfProduct = 255
  package static let seatsMost = 1_000_000_000
  package static let services = 10_000
  package static let productsOfUser = 1000
  package static let grantsOfUser = 1000
  package static let membershipsOfUser = 1000
  package static let sessionsOfUser = 1000
  /// Impersonations in force that one login has begun.
  package static let impersonationsOfSession = 100
  /// Items a list answers with when `COUNT` is not given, and at most.
  package static let listDefault = 100
  package static let listMost = 10_000
  /// The times that commands accept: from 1970 up to the year 9999.
  package static let latestTime: Milliseconds = 253_402_300_799_999
  /// How far ahead of the server's clock a timer may start or stop.
  package static let futureTolerance: Milliseconds = 5 * 60 * 1000
  package static let entryVersions = 1000
  package static let projectBytes = 256
}
