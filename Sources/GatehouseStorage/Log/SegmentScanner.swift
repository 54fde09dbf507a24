internal import struct GatehouseCore.RawBuffer

/// A frame as it lies in its segment. The bytes are valid until the scanner moves on.
package struct LogFrame {
  /// The first LSN of the segment, which names it.
  package let segment: UInt64
  package let offset: UInt64
  package let header: FrameHeader
  /// Header and stored body as one.
  package let bytes: UnsafeRawBufferPointer

  package var stored: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[LogFormat.headerSize...]) }
}

/// Reads the frames of one segment in order and checks each. One thread's.
struct SegmentScanner: ~Copyable {
  enum Step {
    case frame(LogFrame)
    /// There is no good frame here. Whether that is the log's end, others have to say.
    case stop(Stop)
  }

  enum Stop: Equatable {
    /// Zeros, or the end of the file.
    case nothing
    /// A frame that is not whole.
    case damaged(String)
    /// A whole frame that does not belong here: no interrupted write leaves that behind.
    case misplaced(String)
  }

  /// What the rest of a segment tells about a place without a good frame.
  struct Rest {
    /// The largest LSN that a good header further on says was durable.
    var durableLSN: UInt64 = 0
    /// The bytes up to the last that is not zero.
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

  /// One read for so many bytes.
  private let windowBytes: Int

  /// Goes on from a place where a scan of the same segment has stopped, or begins.
  /// - Parameter windowBytes: how much is read at once; a multiple of 4096.
  init(
    _ segment: OpenSegment, folderID: Hash128, sabotage: LogSabotage = [],
    at place: (offset: UInt64, chain: ChainPosition)? = nil, windowBytes: Int = 1 << 20
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
    if let place { (offset, chain) = place }
  }

  /// Reads the next frame.
  /// - Parameter lsn: bodies of frames that end before this record are not checked, as they are not asked for.
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

  /// Looks through what follows the place where `next` has stopped.
  mutating func rest() throws(LogError) -> Rest {
    forget()
    var rest = Rest()
    let alignment = UInt64(header.alignment)
    var place = offset
    while place < size {
      let count = Int(min(UInt64(windowBytes), size - place))
      guard let bytes = try view(place, count) else { break }
      let used = bytes.countWithoutTrailingZeros
      if used > 0 { rest.debris = place + UInt64(used) - offset }
      // Windows begin at a multiple of the alignment, and a header never crosses one.
      for start in stride(from: 0, through: count - LogFormat.headerSize, by: Int(alignment)) where start < used {
        let candidate = UnsafeRawBufferPointer(rebasing: bytes[start...])
        guard candidate.littleEndian(0, as: UInt32.self) == FrameHeader.magic else { continue }
        do throws(FrameHeader.Fault) {
          let header = try FrameHeader(loading: candidate, folderID: folderID)
          rest.durableLSN = max(rest.durableLSN, header.durableLSN)
        } catch {
          guard case .unsupported(let what) = error else { continue }
          throw LogError(.unsupported, segment: name, offset: place + UInt64(start), "\(what) is not known")
        }
      }
      place += UInt64(count)
    }
    return rest
  }

  /// Where the first byte of a range lies that is not zero; nil where all are, as far as the file has them. The ranges
  /// between frames mean nothing, and are zero all the same.
  mutating func firstNonZero(in range: Range<UInt64>) throws(LogError) -> UInt64? {
    var place = range.lowerBound
    while place < range.upperBound, place < size {
      let count = Int(min(UInt64(windowBytes), min(size, range.upperBound) - place))
      guard let bytes = try view(place, count) else { return nil }
      if let at = bytes.firstIndex(where: { $0 != 0 }) { return place + UInt64(at) }
      place += UInt64(count)
    }
    return nil
  }

  /// Forgets what was read, as a writer may have written since.
  mutating func forget() { window.removeAll() }

  private mutating func hasOnlyZeros(from start: UInt64) throws(LogError) -> Bool {
    guard start < size, let bytes = try view(start, Int(size - start)) else { return true }
    return bytes.countWithoutTrailingZeros == 0
  }

  /// Bytes of the file.
  /// - Returns: nil where the file has not so many.
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
      // Whoever trims a segment while it is read makes it shorter than it said it was.
      guard count <= window.count else { return nil }
    }
    return UnsafeRawBufferPointer(rebasing: window.bytes[Int(start - windowStart)..<Int(end - windowStart)])
  }
}

extension UnsafeRawBufferPointer {
  /// How many bytes there are up to the last that is not zero. Whole words at a time: segments end in
  /// many megabytes of zeros.
  var countWithoutTrailingZeros: Int {
    var end = count
    while end >= 8, loadUnaligned(fromByteOffset: end - 8, as: UInt64.self) == 0 { end -= 8 }
    while end > 0, self[end - 1] == 0 { end -= 1 }
    return end
  }
}
