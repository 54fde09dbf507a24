/// An open segment file whose header was checked.
struct OpenSegment: Sendable {
  let header: SegmentHeader
  let file: any DiskFile
  let size: UInt64
  /// The file's name.
  let name: String

  /// The chain position that the segment's first frame must continue.
  var chainStart: ChainPosition {
    ChainPosition(nextLSN: header.firstLSN, hash: header.previousHash, epoch: header.epoch)
  }

  /// Opens a segment and checks that its header matches its name.
  /// - Parameters:
  ///   - lsn: its first record.
  ///   - path: its path; nil for its usual path in the log.
  init(_ location: LogLocation, _ lsn: UInt64, mode: OpenMode = .read, path: String? = nil) throws(LogError) {
    let path = path ?? location.path(LogFormat.segmentName(lsn))
    let name = DiskPath.name(of: path)
    self.name = name
    var bytes = [UInt8](repeating: 0, count: LogFormat.headerSize)
    do throws(DiskError) {
      file = try location.disk.openFile(path, mode)
      size = try file.size()
      let file = self.file
      _ = try bytes.withUnsafeMutableBufferPointer { buffer throws(DiskError) in
        try file.readAll(into: UnsafeMutableRawBufferPointer(buffer), at: 0)
      }
    } catch {
      throw LogError(error, segment: name)
    }
    do throws(SegmentHeader.Fault) {
      header = try bytes.withUnsafeBufferPointer { bytes throws(SegmentHeader.Fault) in
        try SegmentHeader(loading: UnsafeRawBufferPointer(bytes), folderID: location.folderID)
      }
    } catch {
      switch error {
      case .damaged:
        throw LogError(.corrupt, segment: name, offset: 0, lsn: lsn, "the segment's header is damaged")
      case .unsupported(let what): throw LogError(.unsupported, segment: name, offset: 0, what)
      case .foreign:
        throw LogError(.stranger, segment: name, offset: 0, "the segment belongs to another data folder")
      }
    }
    guard header.firstLSN == lsn else {
      throw LogError(
        .stranger, segment: name, offset: 0, "the segment begins with LSN \(header.firstLSN), unlike its name")
    }
  }
}

extension OpenSegment {
  /// How many bytes are read at once when searching for the last frame.
  private static let stepBytes = 64 << 10

  /// Whether the segment has a frame with this hash; searches backwards from the end.
  func holdsFrame(_ hash: Hash128) throws(LogError) -> Bool {
    var step = [UInt8](repeating: 0, count: Self.stepBytes)
    var end = size
    while end > LogFormat.segmentStart {
      // Steps are aligned to multiples of their length, so they begin where a frame may begin, and no header crosses
      // the end of one.
      let start = max(LogFormat.segmentStart, (end - 1) / UInt64(Self.stepBytes) * UInt64(Self.stepBytes))
      let count = Int(end - start)
      let isFound: Bool
      do throws(DiskError) {
        isFound = try step.withMutableRawBytes { bytes throws(DiskError) in
          let count = try file.readAll(into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<count]), at: start)
          return hasFrame(hash, in: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        }
      } catch {
        throw LogError(error, segment: name)
      }
      if isFound { return true }
      end = start
    }
    return false
  }

  /// Finds the frame with a record, or the position after the last frame if the record would come next. It searches by
  /// the frame headers, each of which has its own hash, so damage before the record does not matter.
  func position(of lsn: UInt64, folderID: Hash128) throws(LogError) -> (offset: UInt64, chain: ChainPosition) {
    var step = [UInt8](repeating: 0, count: Self.stepBytes)
    var offset = LogFormat.segmentStart
    var end: (offset: UInt64, chain: ChainPosition)?
    while offset < size {
      // As above, no header crosses the end of a step.
      let start = offset / UInt64(Self.stepBytes) * UInt64(Self.stepBytes)
      do throws(DiskError) {
        let count = try step.withMutableRawBytes { bytes throws(DiskError) in try file.readAll(into: bytes, at: start) }
        for at in count..<step.count { step[at] = 0 }
      } catch {
        throw LogError(error, segment: name)
      }
      while offset < start + UInt64(Self.stepBytes) {
        let header = step.withRawBytes { bytes in
          let here = UnsafeRawBufferPointer(rebasing: bytes[Int(offset - start)...])
          return try? FrameHeader(loading: here, folderID: folderID)
        }
        guard let header, header.firstLSN <= lsn else {
          offset += UInt64(self.header.alignment)
          continue
        }
        if lsn < header.nextLSN {
          return (
            offset, ChainPosition(nextLSN: header.firstLSN, hash: header.previousHash, epoch: header.epoch)
          )
        }
        offset = LogFormat.aligned(offset + UInt64(header.frameLength), UInt64(self.header.alignment))
        end = (offset, ChainPosition(nextLSN: header.nextLSN, hash: header.hash, epoch: header.epoch))
      }
    }
    if let end, end.chain.nextLSN == lsn { return end }
    throw LogError(.corrupt, segment: name, lsn: lsn, "the frame with the record is not there")
  }

  private func hasFrame(_ hash: Hash128, in bytes: UnsafeRawBufferPointer) -> Bool {
    stride(from: 0, through: bytes.count - LogFormat.headerSize, by: Int(header.alignment)).contains { start in
      let bytes = UnsafeRawBufferPointer(rebasing: bytes[start...])
      // Check the magic first: most positions have no header, and then no hash is needed.
      guard bytes.littleEndian(0, as: UInt32.self) == FrameHeader.magic else { return false }
      return (try? FrameHeader(loading: bytes, folderID: header.folderID))?.hash == hash
    }
  }
}

/// The files in a log's directory.
struct LogListing {
  /// The first LSNs of the segments, in order.
  var segments: [UInt64] = []
  /// Files that do not belong to the log.
  var strangers: [String] = []

  init(_ location: LogLocation) throws(LogError) {
    let names: [String]
    do throws(DiskError) {
      names = try location.disk.names(in: location.directory)
    } catch {
      throw LogError(error)
    }
    let known: Set = [
      LogFormat.witnessName, LogFormat.witnessName + ".tmp", LogFormat.nextName, LogFormat.reserveName,
      LogFormat.urgentName,
    ]
    for name in names {
      if let lsn = LogFormat.firstLSN(ofSegment: name) {
        segments.append(lsn)
      } else if !known.contains(name) {
        strangers.append(name)
      }
    }
    segments.sort()
    strangers.sort()
  }
}
