import ArgumentParser
import Crypto
import Foundation

/// Compares the ciphers that encryption at rest could use, in turns: how many megabytes a second one core encrypts, with
/// a new key for each text, as for the frames of the log.
struct SealCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "seal",
    abstract: "Compares AES-256-GCM and ChaCha20-Poly1305 on this machine.")

  @Option(help: "How often each is measured.")
  var rounds = 9

  private static let sizes = [256, 4096, 65_536, 1 << 20]
  private static let bytesARound = 32 << 20

  func run() throws {
    print("bytes      AES-256-GCM MB/s  ChaCha20-Poly1305 MB/s  ratio (medians)")
    for size in Self.sizes {
      var first: [Double] = []
      var second: [Double] = []
      let text = Data(repeating: 7, count: size)
      for _ in 0..<rounds {
        first.append(try Self.speed(of: text) { _ = try AES.GCM.seal($0, using: $1).ciphertext })
        second.append(try Self.speed(of: text) { _ = try ChaChaPoly.seal($0, using: $1).ciphertext })
      }
      let ratios = zip(first, second).map { $0 / $1 }
      let figures = [first, second, ratios].map { $0.sorted()[rounds / 2] }
      print(
        String(format: "%-9d  %16.0f  %22.0f  %.2f", size, figures[0], figures[1], figures[2]))
    }
  }

  private static func speed(of text: Data, _ seal: (Data, SymmetricKey) throws -> Void) rethrows -> Double {
    let count = max(1, bytesARound / text.count / 4)
    let began = ContinuousClock.now
    for _ in 0..<count { try seal(text, SymmetricKey(size: .bits256)) }
    let took = ContinuousClock.now - began
    let seconds = Double(took.components.seconds) + Double(took.components.attoseconds) / 1e18
    return Double(count * text.count) / 1e6 / seconds
  }
}
