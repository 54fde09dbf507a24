import GatehouseCore
import GatehouseStorage

extension MicroPiece {
  /// What the log does with a group of records: encodes them into frames, at the log's compression level.
  static let storagePieces = [
    MicroPiece(name: "frame-50-compress") { times in
      let body = frameBody(records: 50)
      var compressor = ZstdCompressor(level: 1, dictionary: LogOptions().dictionaries.first)
      let target = UnsafeMutableRawBufferPointer.allocate(byteCount: body.count * 2, alignment: 16)
      defer { target.deallocate() }
      var sum = 0
      for _ in 0..<times { body.withUnsafeBytes { sum &+= compressor.compress($0, into: target) ?? 0 } }
      return sum
    },
    MicroPiece(name: "frame-50-hash") { times in
      let body = frameBody(records: 50)
      var sum: UInt64 = 0
      for _ in 0..<times { body.withUnsafeBytes { sum &+= Hash128(of: $0).low } }
      return Int(truncatingIfNeeded: sum)
    },
  ]

  /// The records of this many sessions.
  private static func frameBody(records: Int) -> [UInt8] {
    let world = MicroWorld()
    var body: [UInt8] = []
    for number in 0..<records {
      let user = Population(seed: 1).person(number).userName
      _ = OwnedArguments(["SESSION.CREATE", user, "payroll"]).withView(world.run)
      body += world.lastRecord
    }
    return body
  }
}
