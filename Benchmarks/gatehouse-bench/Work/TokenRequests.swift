import GatehouseWire

/// Session tokens, each kept as the complete request that checks it.
struct TokenRequests: Sendable {
  private var bytes: ContiguousArray<UInt8> = []
  private var starts: ContiguousArray<Int> = [0]

  /// For a target whose sessions are found by number, so that only their count is needed.
  init(numbered count: Int = 0) { numbered = count }

  init(tokens: [String]) {
    numbered = 0
    for token in tokens {
      bytes.append(contentsOf: RequestEncoder.encode(["SESSION.CHECK", token]))
      starts.append(bytes.count)
    }
  }

  private let numbered: Int

  var count: Int { max(numbered, starts.count - 1) }

  @inline(__always)
  func append(_ index: Int, to output: inout ByteQueue) {
    bytes.withUnsafeBytes { output.append(UnsafeRawBufferPointer(rebasing: $0[starts[index]..<starts[index + 1]])) }
  }
}
