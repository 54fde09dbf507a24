import GatehouseWire

/// The bytes of a request, made once; requests differ only in the digits of a number.
struct RequestTemplate: Sendable {
  /// Placeholder for twelve digits, which is what redis-benchmark writes for `__rand_int__`.
  static let slot = "############"

  private let bytes: [UInt8]
  private let slots: [Int]

  init(_ words: String...) { self.init(words) }

  init(_ words: [String]) {
    let bytes = RequestEncoder.encode(words)
    let slot = Array(Self.slot.utf8)
    slots = bytes.indices.filter { bytes[$0...].starts(with: slot) }
    self.bytes = bytes
  }

  /// Appends the request with `number` in every slot.
  @inline(__always)
  func append(_ number: Int, to output: inout ByteQueue) {
    _ = output.fill(minimum: bytes.count) { space in
      bytes.withUnsafeBytes { space.copyMemory(from: $0) }
      for slot in slots {
        var rest = UInt64(number)
        for position in stride(from: slot + Self.slot.utf8.count - 1, through: slot, by: -1) {
          space[position] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
          rest /= 10
        }
      }
      return bytes.count
    }
  }
}

extension ByteQueue {
  /// Appends a request of these words.
  mutating func appendRequest(_ words: [String]) {
    RequestEncoder.encode(words).withUnsafeBytes { append($0) }
  }
}
