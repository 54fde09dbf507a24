/// Finds frames of the shared log by their records.
package struct FrameSearch: Sendable {
  private let shared: any SharedLog
  private let folder: DataFolder

  package init(_ shared: any SharedLog, _ folder: DataFolder) {
    self.shared = shared
    self.folder = folder
  }

  /// The last frame that has no record after one; 0 if none of those that are kept is.
  package func lastFrame(through lsn: UInt64, _ status: SharedLogStatus) async throws(SharedLogError) -> UInt64 {
    guard let tail = status.tail else { throw .missing }
    if tail.lsn <= lsn { return tail.index }
    var low = try await firstKept(status.firstIndex) - 1
    var high = tail.index
    guard low < high, try await lastRecord(of: low) <= lsn else { return 0 }
    while low + 1 < high {
      let middle = low + (high - low) / 2
      if try await lastRecord(of: middle) <= lsn { low = middle } else { high = middle }
    }
    return low
  }

  /// Where the log begins may not have been noted.
  private func firstKept(_ noted: UInt64) async throws(SharedLogError) -> UInt64 {
    do throws(SharedLogError) {
      _ = try await shared.frames(after: noted - 1)
      return noted
    } catch {
      guard case .truncated(_, let first) = error else { throw error }
      return first
    }
  }

  /// The last record up to a frame before the last one.
  private func lastRecord(of index: UInt64) async throws(SharedLogError) -> UInt64 {
    guard let frame = try await shared.frames(after: index).first, frame.index == index + 1 else {
      throw .damaged("frame \(index + 1) is not there")
    }
    return try frame.header(of: folder).firstLSN - 1
  }
}
