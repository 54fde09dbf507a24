import GatehouseCore
import GatehouseStorage

extension MicroPiece {
  /// What the log does with a group of records: encodes them into frames, at the log's compression level. Small frames are
  /// compressed with the dictionary, large ones without.
  static let storagePieces = [
    MicroPiece(name: "frame-50-compress") { times in
      compress(records: 50, with: LogOptions().dictionaries.first, times: times)
    },
    MicroPiece(name: "frame-200-compress") { times in compress(records: 200, with: nil, times: times) },
    MicroPiece(name: "frame-50-hash") { times in
      let body = frameBody(records: 50)
      var sum: UInt64 = 0
      for _ in 0..<times { body.withUnsafeBytes { sum &+= Hash128(of: $0).low } }
      return Int(truncatingIfNeeded: sum)
    },
  ]

  private static func compress(records: Int, with dictionary: ZstdDictionary?, times: Int) -> Int {
    let body = frameBody(records: records)
    var compressor = ZstdCompressor(level: LogOptions().compressionLevel, dictionary: dictionary)
    let target = UnsafeMutableRawBufferPointer.allocate(byteCount: body.count * 2, alignment: 16)
    defer { target.deallocate() }
    var sum = 0
    for _ in 0..<times { body.withUnsafeBytes { sum &+= compressor.compress($0, into: target) ?? 0 } }
    return sum
  }

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
