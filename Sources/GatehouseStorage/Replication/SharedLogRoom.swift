internal import Glibc

extension DiskError {
  /// The shared log takes nothing new for now.
  package static let sharedLogFull = DiskError(call: "append", path: "the shared log", code: ENOSPC)
}

extension LogWriter {
  /// Whether it is full because the shared log is, and not this node's disk.
  package var isHeldBack: Bool { shortage == .sharedLogFull }

  /// Why nothing can be written to this node's disk; nil if it can.
  package var ownShortage: DiskError? { isHeldBack ? nil : shortage }
}
