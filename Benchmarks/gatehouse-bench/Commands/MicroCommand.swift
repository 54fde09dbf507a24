import ArgumentParser

/// Runs one hot piece of the server many times, for a tool that counts instructions and allocations.
struct MicroCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "micro",
    abstract: "Runs one hot piece of the server many times and prints nothing but a checksum.",
    discussion: "Benchmarks/micro runs this under valgrind and prints instructions and allocations an operation.")

  @Argument(help: "Which piece: \(MicroPiece.names.joined(separator: ", ")).")
  var piece: String

  @Option(help: "How many times.")
  var iterations = 100_000

  func run() throws {
    guard let piece = MicroPiece.named(piece) else {
      throw ValidationError("Pieces: \(MicroPiece.names.joined(separator: ", ")).")
    }
    print(try piece.body(iterations))
  }
}
