/// Finds out where a folder's log and the shared log are the same, and cuts off what only this folder has.
///
/// The hash chain decides, and nothing else: a frame that both have proves that they are the same up to it. Records behind
/// it that the shared log does not have were never acknowledged, because that takes both.
package struct Rejoining: Sendable {
  /// Where to go on.
  package struct Place: Sendable, Equatable {
    /// The index of the last frame that this folder has.
    package var index: UInt64
    package var cut: CutTail?
  }

  /// Why a folder cannot go on with the shared log. Each text says what to do.
  package enum Refusal: Error, Equatable, CustomStringConvertible {
    /// The shared log does not keep what this folder lacks.
    case behind(last: UInt64, first: UInt64)
    /// The two have no frame in common of what is kept.
    case parted(last: UInt64, begins: UInt64)
    /// The shared log lacks records that were acknowledged.
    case setBack(acknowledged: UInt64, common: UInt64)

    package var description: String {
      let remedy =
        "; move this data folder away, and start again with --follow yes, which fetches the folder of the node that leads "
        + "(or bring one here with `gatehousectl backup host:port`)"
      switch self {
      case .behind(let last, let first):
        return "this node's log ends with record \(last), and the shared log keeps only what comes after record "
          + "\(first - 1)" + remedy + "; with --fetch-service this node does so by itself"
      case .setBack(let acknowledged, let common):
        return "record \(acknowledged) was acknowledged, and the shared log has only those through \(common) of this "
          + "node's. Either this folder is astray, because a server ran on it alone, or it was copied or set back: then the other "
          + "nodes go on without what only it has; move it away, copy the folder of the node that leads to this place, and "
          + "start again. Or the engine was set back to an older copy, or has lost its data: then the other nodes refuse "
          + "to start like this one; bring the engine's data back, or delete the shared log there, start the node with the "
          + "newest record once with --follow begin, and copy its folder to the others"
      case .parted(let last, let begins):
        return "this node's log ends with record \(last), and has no frame of the shared log, which keeps what comes "
          + "after record \(begins): the two have parted, or this node lacks only the last frame before that, which may "
          + "have no records, as after a clean end" + remedy
      }
    }
  }

  private let folder: DataFolder
  private let shared: any SharedLog
  private let status: SharedLogStatus
  private let tail: SharedTail
  private let chain: LocalChain

  /// - Parameter tail: the end of the shared log as of `status`.
  package init(_ folder: DataFolder, _ shared: any SharedLog, _ status: SharedLogStatus, _ tail: SharedTail) throws {
    self.folder = folder
    self.shared = shared
    self.status = status
    self.tail = tail
    chain = try LocalChain(folder.logLocation)
  }

  /// - Parameter now: unix milliseconds.
  package func run(now: UInt64) async throws -> Place {
    guard let last = chain.last else { throw Refusal.behind(last: 0, first: status.firstIndex) }
    if last.hash == tail.hash { return Place(index: tail.index) }
    let index = try await lastCommon(last)
    guard let hash = try await hash(of: index), let place = chain.place(of: hash) else {
      throw Refusal.parted(last: last.lsn, begins: try await lsn(of: status.firstIndex - 1))
    }
    guard chain.count(after: place) > 0, let position = chain.position(place) else { return Place(index: index) }
    // A record was acknowledged only after the shared log had it. So it cannot lack one that was, unless it was set back.
    let acknowledged = max(chain.acknowledged, try WitnessFile.read(folder.logLocation)?.durableLSN ?? 0)
    guard acknowledged <= position.lsn else { throw Refusal.setBack(acknowledged: acknowledged, common: position.lsn) }
    return Place(index: index, cut: try folder.cutLog(chain, after: place, at: now))
  }

  /// The last frame of the shared log that this folder has: nearly always one of the last.
  private func lastCommon(_ last: LocalChain.Position) async throws -> UInt64 {
    let first = status.firstIndex - 1
    var high = tail.index + 1
    var step: UInt64 = 1
    var low = tail.index
    // Ever larger steps back from the end, then halves.
    while try await !isHere(low) {
      guard low > first else {
        let start = try await lsn(of: first)
        throw start > last.lsn
          ? Refusal.behind(last: last.lsn, first: start + 1) : .parted(last: last.lsn, begins: start)
      }
      high = low
      low = low - first > step ? low - step : first
      step *= 2
    }
    while low + 1 < high {
      let middle = low + (high - low) / 2
      if try await isHere(middle) { low = middle } else { high = middle }
    }
    return low
  }

  /// Whether this folder has a frame. One of records before the log's first segment is in the archive.
  private func isHere(_ index: UInt64) async throws -> Bool {
    guard let hash = try await hash(of: index) else { return false }
    if chain.place(of: hash) != nil { return true }
    return try await lsn(of: index) < chain.base?.lsn ?? 0
  }

  private func hash(of index: UInt64) async throws -> Hash128? {
    if index == tail.index { return tail.hash }
    return try await header(after: index).previousHash
  }

  /// The last record up to a frame.
  private func lsn(of index: UInt64) async throws -> UInt64 {
    if index == tail.index { return tail.lsn }
    return try await header(after: index).firstLSN - 1
  }

  private func header(after index: UInt64) async throws -> FrameHeader {
    guard let frame = try await shared.frames(after: index).first, frame.index == index + 1 else {
      throw SharedLogError.damaged("frame \(index + 1) is not there")
    }
    return try frame.header(of: folder)
  }
}

extension SharedFrame {
  /// The frame's header, checked.
  func header(of folder: DataFolder) throws(SharedLogError) -> FrameHeader {
    guard bytes.count >= LogFormat.headerSize else { throw .damaged("frame \(index) is cut short") }
    do throws(FrameHeader.Fault) {
      return try bytes.withRawBytes { bytes throws(FrameHeader.Fault) in
        try FrameHeader(loading: bytes, folderID: folder.manifest.folderID)
      }
    } catch {
      switch error {
      case .zeros, .damaged: throw .damaged("the header of frame \(index) is damaged, or of another folder")
      case .unsupported(let what): throw .refused("\(what) is not known; start that version or a later one here, too")
      }
    }
  }
}
