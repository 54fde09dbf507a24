import GatehouseStorage

/// Snapshots for tests: the bytes of a section are derived from its owner and record number.
enum SnapshotFixture {
  static func bytes(owner: UInt16, lsn: UInt64, count: Int) -> [UInt8] {
    var random = SplitMix64(seed: lsn << 16 | UInt64(owner))
    // Half noise, half repetition, so that it compresses about as well as real state.
    return (0..<count).map {
      $0 & 8 == 0 ? UInt8(truncatingIfNeeded: random.next()) : UInt8(truncatingIfNeeded: $0 >> 6)
    }
  }

  /// Writes a snapshot with sections as of `lsn`, `lsn + 1` and so on.
  @discardableResult
  static func write(in folder: DataFolder, lsn: UInt64, sectionBytes: Int = 40) throws -> SnapshotInfo {
    let writer = try SnapshotWriter(in: folder, createdAt: 1_763_755_300_000 + lsn)
    for (at, owner) in owners(folder).enumerated() {
      let sectionLSN = lsn + UInt64(at)
      let bytes = bytes(owner: owner, lsn: sectionLSN, count: sectionBytes)
      try bytes.withUnsafeBytes { try writer.add(owner: owner, lsn: sectionLSN, bytes: $0) }
    }
    return try writer.finish(durable: writer.largestLSN)
  }

  static func owners(_ folder: DataFolder) -> [UInt16] {
    (0..<folder.manifest.partitionCount).map { UInt16($0) } + [Snapshot.directoryOwner]
  }

  /// Whether every section of a snapshot has the bytes that `write` stored.
  static func holds(_ reader: SnapshotReader, sectionBytes: Int = 40) throws -> Bool {
    try reader.sections.allSatisfy {
      try Array(reader.read($0)) == bytes(owner: $0.owner, lsn: $0.lsn, count: sectionBytes)
    }
  }
}
