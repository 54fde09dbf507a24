internal import struct GatehouseCore.RawBuffer

/// A frame in its segment. The bytes are valid until the scanner moves on.
package struct LogFrame {
  /// The first LSN of the segment, which names it.
  package let segment: UInt64
  package let offset: UInt64
  package let header: FrameHeader
  /// Header and stored body.
  package let bytes: UnsafeRawBufferPointer

  package var stored: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[LogFormat.headerSize...]) }
}

/// Reads and checks the frames of one segment, in order. For one thread.
struct SegmentScanner: ~Copyable {
  enum Step {
    case frame(LogFrame)
    /// There is no good frame here. The caller must decide whether that is the end of the log.
    case stop(Stop)
  }

  enum Stop: Equatable {
    /// Zeros, or the end of the file.
    case nothing
    /// An incomplete or damaged frame.
    case damaged(String)
    /// A sound frame that does not belong here; no torn write could leave that behind.
    case misplaced(String)
  }

  /// What the rest of a segment reveals after a position without a good frame.
  struct Rest {
    /// The largest LSN that a good header further on names as durable.
    var durableLSN: UInt64 = 0
    /// How many bytes there are up to the last one that is not zero.
    var debris: UInt64 = 0
  }

  let segment: UInt64
  let header: SegmentHeader
  /// The segment's file name.
  let name: String
  private(set) var offset = LogFormat.segmentStart
  private(set) var chain: ChainPosition

  private let file: any DiskFile
  private let folderID: Hash128
  private let sabotage: LogSabotage
  private var size: UInt64
  private var window: RawBuffer
  private var windowStart: UInt64 = 0

  /// How many bytes are read at once.
  private let windowBytes: Int

  /// Starts at the beginning, or continues where a scan of the same segment has stopped.
  /// - Parameter windowBytes: how many bytes to read at once; a multiple of 4096.
  init(
    _ segment: OpenSegment, folderID: Hash128, sabotage: LogSabotage = [],
    at position: (offset: UInt64, chain: ChainPosition)? = nil, windowBytes: Int = 1 << 20
  ) {
    self.windowBytes = windowBytes
    self.segment = segment.header.firstLSN
    header = segment.header
    name = segment.name
    file = segment.file
    size = segment.size
    window = RawBuffer(capacity: Int(min(UInt64(windowBytes), segment.size)))
    self.folderID = folderID
    self.sabotage = sabotage
    chain = segment.chainStart
    if let position { (offset, chain) = position }
  }

  /// Reads the next frame.
  /// - Parameter lsn: the bodies of frames that end before this record are not checked, because nobody asks for them.
  mutating func next(checkingFrom lsn: UInt64 = 0) throws(LogError) -> Step {
    let start = offset
    guard let headerBytes = try view(start, LogFormat.headerSize) else {
      return .stop(try hasOnlyZeros(from: start) ? .nothing : .damaged("the frame's header is cut short"))
    }
    let frame: FrameHeader
    do throws(FrameHeader.Fault) {
      frame = try FrameHeader(loading: headerBytes, folderID: folderID)
    } catch {
      switch error {
      case .zeros: return .stop(.nothing)
      case .damaged: return .stop(.damaged("the frame's header is damaged"))
      case .unsupported(let what):
        throw LogError(.unsupported, segment: name, offset: start, lsn: chain.nextLSN, "\(what) is not known")
      }
    }
    if !chain.continues(with: frame), !sabotage.contains(.skipChain) {
      return .stop(
        .misplaced("the frame of LSN \(frame.firstLSN), epoch \(frame.epoch), does not follow the one before"))
    }
    guard let bytes = try view(start, frame.frameLength) else {
      return .stop(.damaged("the frame is cut short"))
    }
    let found = LogFrame(segment: segment, offset: start, header: frame, bytes: bytes)
    if frame.nextLSN > lsn || frame.recordCount == 0 {
      guard Hash128(of: found.stored) == frame.bodyHash || sabotage.contains(.skipBodyHash) else {
        return .stop(.damaged("the frame's body is damaged"))
      }
    }
    chain.advance(over: frame)
    offset = LogFormat.aligned(
      start + UInt64(frame.frameLength), sabotage.contains(.unalignedFrames) ? 1 : UInt64(header.alignment))
    return .frame(found)
  }

  /// Scans everything after the position at which `next` has stopped.
  mutating func rest() throws(LogError) -> Rest {
    forget()
    var rest = Rest()
    let alignment = UInt64(header.alignment)
    var position = offset
    while position < size {
      let count = Int(min(UInt64(windowBytes), size - position))
      guard let bytes = try view(position, count) else { break }
      let used = bytes.countWithoutTrailingZeros
      if used > 0 { rest.debris = position + UInt64(used) - offset }
      // Windows begin at a multiple of the alignment, and no header crosses the end of one.
      for start in stride(from: 0, through: count - LogFormat.headerSize, by: Int(alignment)) where start < used {
        let candidate = UnsafeRawBufferPointer(rebasing: bytes[start...])
        guard candidate.littleEndian(0, as: UInt32.self) == FrameHeader.magic else { continue }
        do throws(FrameHeader.Fault) {
          let header = try FrameHeader(loading: candidate, folderID: folderID)
          rest.durableLSN = max(rest.durableLSN, header.durableLSN)
        } catch {
          guard case .unsupported(let what) = error else { continue }
          throw LogError(.unsupported, segment: name, offset: position + UInt64(start), "\(what) is not known")
        }
      }
      position += UInt64(count)
    }
    return rest
  }

  /// The offset of the first byte of a range that is not zero; nil if all are zero as far as the file goes. The padding
  /// between frames has no meaning, but must be zero.
  mutating func firstNonZero(in range: Range<UInt64>) throws(LogError) -> UInt64? {
    var position = range.lowerBound
    while position < range.upperBound, position < size {
      let count = Int(min(UInt64(windowBytes), min(size, range.upperBound) - position))
      guard let bytes = try view(position, count) else { return nil }
      if let at = bytes.firstIndex(where: { $0 != 0 }) { return position + UInt64(at) }
      position += UInt64(count)
    }
    return nil
  }

  /// Drops the read buffer, because a writer may have written since.
  mutating func forget() { window.removeAll() }

  private mutating func hasOnlyZeros(from start: UInt64) throws(LogError) -> Bool {
    guard start < size, let bytes = try view(start, Int(size - start)) else { return true }
    return bytes.countWithoutTrailingZeros == 0
  }

  /// Bytes of the file.
  /// - Returns: nil if the file is too short.
  private mutating func view(_ start: UInt64, _ count: Int) throws(LogError) -> UnsafeRawBufferPointer? {
    let end = start + UInt64(count)
    if start < windowStart || end > windowStart + UInt64(window.count) {
      do throws(DiskError) {
        // A live segment may have grown since it was opened.
        if end > size { size = try file.size() }
        guard end <= size else { return nil }
        window.removeAll()
        let wanted = Int(min(UInt64(max(count, windowBytes)), size - start))
        let room = window.room(wanted)
        window.advance(try file.readAll(into: room, at: start))
        windowStart = start
      } catch {
        throw LogError(error, segment: name)
      }
      // The keeper may trim a segment while it is read, so it may be shorter than its size said.
      guard count <= window.count else { return nil }
    }
    return UnsafeRawBufferPointer(rebasing: window.bytes[Int(start - windowStart)..<Int(end - windowStart)])
  }
}

extension UnsafeRawBufferPointer {
  /// The number of bytes up to the last one that is not zero. Checks a word at a time, because segments end in many
  /// megabytes of zeros.
  var countWithoutTrailingZeros: Int {
    var end = count
    while end >= 8, loadUnaligned(fromByteOffset: end - 8, as: UInt64.self) == 0 { end -= 8 }
    while end > 0, self[end - 1] == 0 { end -= 1 }
    return end
  }
}
