internal import Synchronization

/// A frame of another node whose header, body and place in the hash chain were checked.
///
/// Nothing of a shared log's frame is used before: what a frame says may destroy somebody's keys for good.
package struct CheckedFrame: Sendable {
  package let index: UInt64
  package let header: FrameHeader
  /// Header and stored body.
  let bytes: [UInt8]

  /// Checks a frame that must continue a chain.
  init(_ frame: SharedFrame, continuing chain: ChainPosition, folderID: Hash128) throws(IngestFault) {
    guard frame.bytes.count >= LogFormat.headerSize else { throw .unfit("it is cut short") }
    index = frame.index
    bytes = frame.bytes
    header = try bytes.withRawBytes { bytes throws(IngestFault) in
      let header: FrameHeader
      do throws(FrameHeader.Fault) {
        header = try FrameHeader(loading: bytes, folderID: folderID)
      } catch {
        switch error {
        case .zeros, .damaged: throw .unfit("its header is damaged")
        case .unsupported(let what): throw .unfit("\(what) is not known; start this version or a later one here, too")
        }
      }
      guard bytes.count == header.frameLength,
        Hash128(of: UnsafeRawBufferPointer(rebasing: bytes[LogFormat.headerSize...])) == header.bodyHash
      else { throw .unfit("its body is damaged") }
      return header
    }
    guard chain.continues(with: header) else { throw Self.misplaced(header, chain) }
  }

  static func misplaced(_ header: FrameHeader, _ chain: ChainPosition) -> IngestFault {
    .unfit("record \(header.firstLSN) of epoch \(header.epoch) does not follow record \(chain.nextLSN - 1) here")
  }

  package func withStoredBody<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try bytes.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[LogFormat.headerSize...])) }
  }
}

extension LogWriter {
  /// Checks frames that are to come next.
  ///
  /// - Throws: `IngestFault.unfit` if one of them may not.
  package func check(_ frames: some Sequence<SharedFrame>) throws(IngestFault) -> [CheckedFrame] {
    var chain = committer.withLock { $0.chain }
    var checked: [CheckedFrame] = []
    for frame in frames {
      let next = try CheckedFrame(frame, continuing: chain, folderID: core.location.folderID)
      chain.advance(over: next.header)
      checked.append(next)
    }
    return checked
  }
}
