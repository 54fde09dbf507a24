/// Opens an existing log: finds its segments, checks every frame from a record on, hands out the records, and
/// distinguishes damage from the end of the log, by the rule in `LogFormat`.
package struct LogRecovery: Sendable {
  package let location: LogLocation
  package let options: LogOptions
  /// The content of the witness file; nil if the log was never written.
  package let witness: Witness?
  /// In order.
  package let segments: [SegmentInfo]

  private let open: [OpenSegment]
  private let beginning: ChainPosition
  private let isForWriting: Bool

  /// Finds the segments of a log.
  /// - Parameters:
  ///   - forWriting: whether a writer will continue the log. Then everything is synced before it is read. Otherwise the
  ///     log is only read, and another process may be writing it.
  ///   - firstLSN: where a log without segments begins.
  ///   - previousHash: the hash that its first frame continues; nil for the genesis hash of the folder's id.
  package init(
    _ location: LogLocation, options: LogOptions = LogOptions(), forWriting: Bool, firstLSN: UInt64 = 1,
    previousHash: Hash128? = nil
  ) throws(LogError) {
    self.location = location
    self.options = options
    isForWriting = forWriting
    // Read the witness first, so that whatever a live writer adds meanwhile is above it.
    witness = try WitnessFile.read(location)
    let listing = try LogListing(location)
    if let stranger = listing.strangers.first {
      throw LogError(.stranger, segment: stranger, "the file does not belong to the log")
    }
    let genesis = LogFormat.genesis(location.folderID)
    beginning = ChainPosition(nextLSN: firstLSN, hash: previousHash ?? genesis, epoch: witness?.epoch ?? 0)
    if forWriting { try Self.sync(location, last: listing.segments.last) }
    var open: [OpenSegment] = []
    for lsn in listing.segments { open.append(try OpenSegment(location, lsn)) }
    self.open = open
    segments = open.enumerated().map { index, segment in
      SegmentInfo(
        firstLSN: segment.header.firstLSN,
        lastLSN: index + 1 < open.count ? open[index + 1].header.firstLSN - 1 : nil, bytes: segment.size)
    }
    if let first = open.first {
      guard witness != nil else {
        throw LogError(.missing, segment: LogFormat.witnessName, "the witness of what was durable is gone")
      }
      guard first.header.firstLSN > 1 || first.header.previousHash == genesis else {
        throw LogError(
          .corrupt, segment: LogFormat.segmentName(1), offset: 0, lsn: 1, "the first segment follows another")
      }
    } else if let witness, witness.durableLSN >= firstLSN {
      throw LogError(
        .missing, lsn: firstLSN, "there is no segment, but LSN \(witness.durableLSN) was durable")
    }
  }

  /// Makes durable what a process may have written without syncing before it died, and drops cached pages that may
  /// never have reached the disk. Only then does reading show what is really there.
  private static func sync(_ location: LogLocation, last: UInt64?) throws(LogError) {
    do throws(DiskError) {
      if let last {
        // Only the last segment needs it: a writer syncs a segment before it begins the next.
        let file = try location.disk.openFile(location.path(LogFormat.segmentName(last)), .write)
        defer { file.close() }
        try file.sync()
        try file.forgetCached()
      }
      try location.disk.syncDirectory(location.directory)
    } catch {
      throw LogError(error, segment: last.map(LogFormat.segmentName))
    }
  }

  /// The first record that the log has, or will have.
  package var firstLSN: UInt64 { segments.first?.firstLSN ?? beginning.nextLSN }

  /// Checks the frames from a record on and hands out their records in order. Another thread checks the hashes ahead.
  /// - Parameter lsn: the first record wanted, at most one more than the last.
  /// - Returns: the log's end, for the writer.
  /// - Throws: `LogError`, or what `handle` throws. All records handed out before were sound and in order.
  package func replay(
    from lsn: UInt64, _ handle: (UInt64, UnsafeRawBufferPointer) throws -> Void
  ) throws -> LogEnd {
    let pipe = FramePipe()
    // The thread is always joined below, so it does not outlive what it uses.
    let thread = PosixThread {
      do throws(LogError) {
        pipe.finish(.success(try scan(from: lsn) { frame in pipe.push(frame) }))
      } catch {
        pipe.finish(.failure(error))
      }
    }
    defer {
      pipe.cancel()
      thread.join()
    }
    var decoder = FrameDecoder(cipher: location.cipher, dictionaries: options.dictionaries)
    while let chunk = pipe.pop() {
      for frame in chunk.frames {
        let stored = UnsafeRawBufferPointer(rebasing: chunk.bytes[frame.range])
        try decoder.forEachRecord(frame.header, stored: stored) { record, bytes in
          if record >= lsn { try handle(record, bytes) }
        }
      }
      pipe.recycle(chunk)
    }
    return try pipe.result!.get()
  }

  /// Checks everything, every frame's body and chain position, without decoding records.
  /// - Parameter progress: receives the bytes checked so far, and the total.
  package func verify(_ progress: (UInt64, UInt64) -> Void = { _, _ in }) throws(LogError) -> LogEnd {
    let total = segments.reduce(0) { $0 + $1.bytes }
    var done: UInt64 = 0
    return try scan(from: firstLSN) { frame in
      done += UInt64(frame.bytes.count)
      progress(done, total)
      return true
    }
  }

  // MARK: Scanning

  /// Reads and checks the frame with a record and all frames after it.
  /// - Parameter emit: receives a frame; returns false to stop.
  private func scan(from lsn: UInt64, _ emit: (LogFrame) -> Bool) throws(LogError) -> LogEnd {
    guard lsn >= firstLSN else {
      throw LogError(.missing, lsn: lsn, "the log begins with LSN \(firstLSN)")
    }
    var chain = beginning
    var end = LogEnd(
      lastLSN: beginning.nextLSN - 1, lastHash: beginning.hash, epoch: beginning.epoch, segment: nil,
      offset: LogFormat.segmentStart, alignment: options.alignment, isClean: true, isSynced: isForWriting)
    let first = open.lastIndex { $0.header.firstLSN <= lsn } ?? 0
    try checkOlder(through: first)
    for index in first..<max(open.count, first) {
      let segment = open[index]
      if index > first, segment.chainStart.nextLSN != chain.nextLSN || segment.chainStart.hash != chain.hash {
        throw LogError(
          .corrupt, segment: LogFormat.segmentName(segment.header.firstLSN), offset: 0, lsn: chain.nextLSN,
          "the segment does not follow the one before")
      }
      var scanner = SegmentScanner(segment, folderID: location.folderID, sabotage: options.sabotage)
      end.isClean = false
      let next = index + 1 < open.count ? open[index + 1] : nil
      while let frame = try frame(of: &scanner, before: next, checkingFrom: lsn, into: &end) {
        end.isClean = frame.header.type == .cleanEnd
        if frame.header.nextLSN > lsn, frame.header.recordCount > 0, !emit(frame) { return end }
      }
      chain = scanner.chain
      end.lastLSN = chain.nextLSN - 1
      end.lastHash = chain.hash
      end.epoch = max(end.epoch, chain.epoch)
      end.frameEpoch = chain.epoch
      end.segment = segment.header.firstLSN
      end.offset = scanner.offset
      end.alignment = UInt64(segment.header.alignment)
    }
    guard lsn <= end.lastLSN + 1 else {
      throw LogError(.missing, lsn: end.lastLSN + 1, "the log ends with LSN \(end.lastLSN), and \(lsn) is asked for")
    }
    return end
  }

  /// Refuses a gap among the segments before the first one scanned. Their frames are not read; but the last frame of
  /// each must be the one that the next segment says it continues.
  private func checkOlder(through first: Int) throws(LogError) {
    for (segment, next) in zip(open.prefix(first), open.dropFirst()) {
      guard try !segment.holdsFrame(next.header.previousHash) else { continue }
      throw LogError(
        .missing, segment: LogFormat.segmentName(next.header.firstLSN), offset: 0,
        "it does not follow \(LogFormat.segmentName(segment.header.firstLSN)), which lies before it: a segment between "
          + "them is gone, or the end of the earlier one is damaged")
    }
  }

  /// The scanner's next frame; nil if the segment ends here legitimately.
  private func frame(
    of scanner: inout SegmentScanner, before next: OpenSegment?, checkingFrom lsn: UInt64, into end: inout LogEnd
  ) throws(LogError) -> LogFrame? {
    var isRetry = false
    while true {
      let stop: SegmentScanner.Stop
      switch try scanner.next(checkingFrom: lsn) {
      case .frame(let frame): return frame
      case .stop(let found): stop = found
      }
      if let next {
        let chain = scanner.chain
        if next.header.firstLSN == chain.nextLSN, next.header.previousHash == chain.hash { return nil }
        throw damage(stop, scanner.segment, scanner.offset, chain, "the next segment was begun after it was durable")
      }
      let rest = options.sabotage.contains(.skipScanOn) ? SegmentScanner.Rest() : try scanner.rest()
      let known = options.sabotage.contains(.skipWitness) ? 0 : witness?.durableLSN ?? 0
      let isDurable = max(known, rest.durableLSN) >= scanner.chain.nextLSN
      var isMisplaced = false
      if case .misplaced = stop { isMisplaced = true }
      guard isDurable || isMisplaced else {
        end.tornBytes = rest.debris
        return nil
      }
      // A live writer may have written this frame between the two reads, so read again once.
      if !isForWriting, !isRetry {
        scanner.forget()
        isRetry = true
        continue
      }
      let proof =
        if isMisplaced {
          "no interrupted write leaves that behind"
        } else if known >= scanner.chain.nextLSN {
          "the witness says that LSN \(known) was durable"
        } else {
          "a later frame says that LSN \(rest.durableLSN) was durable"
        }
      throw damage(stop, scanner.segment, scanner.offset, scanner.chain, proof)
    }
  }

  private func damage(
    _ stop: SegmentScanner.Stop, _ segment: UInt64, _ offset: UInt64, _ chain: ChainPosition, _ proof: String
  ) -> LogError {
    let what =
      switch stop {
      case .nothing: "there is no frame where one must be"
      case .damaged(let what), .misplaced(let what): what
      }
    return LogError(
      .corrupt, segment: LogFormat.segmentName(segment), offset: offset, lsn: chain.nextLSN, "\(what), and \(proof)")
  }
}
