/// A piece of the server that is worth counting by itself.
struct MicroPiece: Sendable {
  let name: String
  /// Does it so many times; the result depends on every repetition, so that none can be optimised away.
  let body: @Sendable (_ iterations: Int) -> Int

  static let all: [MicroPiece] = []

  static var names: [String] { all.map(\.name) }

  static func named(_ name: String) -> MicroPiece? { all.first { $0.name == name } }
}
