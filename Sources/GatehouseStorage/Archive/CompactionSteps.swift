/// What a compaction does with the segments that it may move, in their order. It is found out before anything is moved,
/// for a dry run as for a real one, and takes a look at every frame: one damaged segment must not hold up the others.
struct CompactionSteps {
  enum Step {
    /// An archive has these already, after a compaction that was cut short: they only have to go.
    case remove([SealedSegment], archivedIn: ArchiveCatalog.Entry)
    case archive([SealedSegment])
    case setAside(SealedSegment, why: String)
  }

  private(set) var steps: [Step] = []
  /// What cannot be moved, and everything after it, until somebody has seen to it.
  private(set) var obstacle: String?
  private(set) var warnings: [String] = []

  /// - Parameters:
  ///   - segments: the oldest of the log, which both kept snapshots cover.
  ///   - archiveBytes: an archive ends with the segment that takes it to so many bytes of log.
  ///   - look: is given each segment that is not archived yet, with each of its frames, checked; may throw to stop.
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

  /// Reads a segment.
  /// - Returns: what is wrong with it, also when it comes from the disk a second time and not from memory; nil where it
  ///   is sound.
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
