/// A piece of the server whose cost is counted separately.
struct MicroPiece: Sendable {
  let name: String
  /// Prepares, then repeats the piece. Preparing costs the same for any number of repetitions, so it cancels out in the
  /// difference of two runs. The result depends on every repetition, so that none is optimised away.
  let body: @Sendable (_ iterations: Int) throws -> Int

  static let all: [MicroPiece] = wirePieces + corePieces + storagePieces

  static var names: [String] { all.map(\.name) }

  static func named(_ name: String) -> MicroPiece? { all.first { $0.name == name } }
}
