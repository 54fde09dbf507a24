/// A piece of the server that is worth counting by itself.
struct MicroPiece: Sendable {
  let name: String
  /// Prepares, then does it so many times. What preparing costs is the same for any number of times, so it cancels
  /// out in the difference of two runs. The result depends on every repetition: none can be optimised away.
  let body: @Sendable (_ iterations: Int) throws -> Int

  static let all: [MicroPiece] = wirePieces + corePieces + storagePieces

  static var names: [String] { all.map(\.name) }

  static func named(_ name: String) -> MicroPiece? { all.first { $0.name == name } }
}
