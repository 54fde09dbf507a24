package import GatehouseCore

/// What storage needs to know about Gatehouse's records: the keys by which the archive finds them again.
package enum RecordIndex {
  /// Whom or what a record concerns, as `RecordKey` numbers, and when it was written.
  ///
  /// - Parameter folder: the folder of the records, whose keys open what is sealed in them.
  package static func keys(of folder: DataFolder) -> RecordKeys {
    let seals = folder.keys
    return { RecordKey.find(in: $0, seals, &$1) }
  }

  /// When a record was written, and whom or what it concerns as far as that is not sealed.
  package static let times: RecordKeys = { RecordKey.find(in: $0, nil, &$1) }
}

extension LogArchived {
  /// What the log records of an archive.
  package init(_ info: ArchiveInfo) {
    self.init(first: info.records.lowerBound, last: info.records.upperBound, hash: "\(info.hash)")
  }
}
