/// What a compaction will do with each segment that it may move, in order. Planned before anything is moved, for a dry
/// run and a real one alike. Planning reads every frame, so that one damaged segment does not block the others.
struct CompactionSteps {
  enum Step {
    /// An archive of a compaction that was interrupted already contains these segments; they only have to be removed.
    case remove([SealedSegment], archivedIn: ArchiveCatalog.Entry)
    case archive([SealedSegment])
    case setAside(SealedSegment, why: String)
  }

  private(set) var steps: [Step] = []
  /// What blocks the compaction: this cannot be moved, nor anything after it, until somebody repairs it.
  private(set) var obstacle: String?
  private(set) var warnings: [String] = []

  /// - Parameters:
  ///   - segments: the oldest segments of the log, which both kept snapshots cover.
  ///   - archiveBytes: an archive ends with the segment that brings it to this many bytes of log.
  ///   - look: called with each checked frame of the segments that are not archived yet; may throw to stop.
  init(
    _ segments: [SealedSegment], in folder: DataFolder, archiveBytes: UInt64,
    look: (SealedSegment, LogFrame) throws -> Void = { _, _ in }
  ) throws {
    var rest = segments[...]
    let files = try ArchiveCatalog(folder).all()
    while let segment = rest.first,
      let entry = files.first(where: { !$0.isSetAside && $0.entry.records.contains(segment.firstLSN) })?.entry
    {
      let covered = rest.prefix { entry.records.contains($0.lastLSN) }
      guard covered.last?.lastLSN == entry.records.upperBound else {
        obstacle = "\(entry.path) has a part of the segment \(segment.name), but not to the end of one"
        return
      }
      steps.append(.remove(Array(covered), archivedIn: entry))
      rest = rest.dropFirst(covered.count)
    }
    if let last = files.last?.entry, let segment = rest.first, segment.firstLSN != last.records.upperBound + 1 {
      warnings.append(
        "the archive ends with record \(last.records.upperBound), and the log begins with \(segment.firstLSN)")
    }
    try addSteps(for: rest, folder, archiveBytes, look)
  }

  private mutating func addSteps(
    for segments: ArraySlice<SealedSegment>, _ folder: DataFolder, _ archiveBytes: UInt64,
    _ look: (SealedSegment, LogFrame) throws -> Void
  ) throws {
    var group: [SealedSegment] = []
    var bytes: UInt64 = 0
    func endGroup(_ steps: inout [Step]) {
      if !group.isEmpty { steps.append(.archive(group)) }
      group = []
      bytes = 0
    }
    for segment in segments {
      if let why = try Self.damage(of: segment, in: folder, look) {
        endGroup(&steps)
        steps.append(.setAside(segment, why: why))
        continue
      }
      if bytes >= archiveBytes { endGroup(&steps) }
      group.append(segment)
      bytes += try folder.bytes(of: segment)
    }
    endGroup(&steps)
  }

  /// Reads a segment. If it seems damaged, reads it again from the disk instead of the page cache.
  /// - Returns: what is wrong with it; nil if it is sound.
  private static func damage(
    of segment: SealedSegment, in folder: DataFolder, _ look: (SealedSegment, LogFrame) throws -> Void
  ) throws -> String? {
    var isSecondLook = false
    while true {
      do {
        var reader = try SealedSegmentReader(segment, in: folder)
        if isSecondLook { try reader.forgetCached() }
        while let frame = try reader.nextFrame() { try look(segment, frame) }
        return nil
      } catch let error as LogError where error.isDamage {
        if isSecondLook { return "\(error)" }
        isSecondLook = true
      }
    }
  }
}
