import GatehouseCore

/// Which record was in which frame, for some of the frames: enough to know up to which frame a snapshot goes.
struct FrameMarks: Sendable {
  private var marks: [(index: UInt64, lsn: LSN)] = []

  private static let most = 4096

  /// Through this frame, the log has the records through this one.
  mutating func note(index: UInt64, lsn: LSN) {
    if let last = marks.last, index <= last.index { return }
    marks.append((index, lsn))
    // With too many, every other one is enough: the frames stay a little longer.
    if marks.count > Self.most {
      marks = marks.enumerated().compactMap { $0.offset.isMultiple(of: 2) ? $0.element : nil }
    }
  }

  /// The last frame that is known to have no record after this one.
  func index(through lsn: LSN) -> UInt64 { marks.last { $0.lsn <= lsn }?.index ?? 0 }
}
