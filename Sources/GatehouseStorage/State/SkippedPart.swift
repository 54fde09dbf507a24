package import GatehouseCore

/// Something that a newer version has written and this one has skipped: a change, a value, or the last fields of one. What
/// must not be skipped is marked as critical, and refused.
///
/// Whoever has skipped something must not write the state anew where others rely on it: it would be lost for good.
package enum SkippedPart: Sendable, Equatable {
  case record(LSN)
  /// By the record through which it goes.
  case snapshot(LSN)
}

extension SkippedPart {
  package var lsn: LSN {
    switch self {
    case .record(let lsn), .snapshot(let lsn): lsn
    }
  }

  /// What would be lost if the state were written anew.
  ///
  /// - Parameter version: of this program, if that helps.
  package func loss(to version: String? = nil) -> String {
    "a newer version than this one\(version.map { " (\($0))" } ?? "") has written \(self), and this one skips a part of it, "
      + "which it would lose"
  }
}

extension SkippedPart: CustomStringConvertible {
  package var description: String {
    switch self {
    case .record(let lsn): "record \(lsn)"
    case .snapshot(let lsn): "the snapshot of record \(lsn)"
    }
  }
}
