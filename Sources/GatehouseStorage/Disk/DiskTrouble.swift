internal import Glibc

/// What a failed system call means: whether it may succeed later, and what an operator can do.
///
/// This is the only place that interprets `errno`. Log, snapshots, archive and copies use it.
package enum DiskTrouble: Sendable, Equatable {
  /// The disk or a quota is full. May succeed once there is room.
  case noSpace
  /// The process or the machine has no file descriptor left. May succeed once some are closed.
  case noDescriptors
  /// The user lacks the permission.
  case notPermitted
  /// The file system is mounted read-only.
  case readOnly
  /// Anything else. Even if a later call succeeds, data may have been lost.
  case failed

  init(_ code: Int32) {
    self =
      switch code {
      case ENOSPC, EDQUOT: .noSpace
      case EMFILE, ENFILE: .noDescriptors
      case EACCES, EPERM: .notPermitted
      case EROFS: .readOnly
      default: .failed
      }
  }

  /// Whether something is only missing for now and nothing is broken, so that the call may be repeated later.
  package var isShortage: Bool {
    switch self {
    case .noSpace, .noDescriptors: true
    case .notPermitted, .readOnly, .failed: false
    }
  }

  /// What is missing during a shortage, and what helps without a restart.
  package var want: (what: String, relief: String) {
    switch self {
    case .noDescriptors:
      ("no descriptor is left for another file", "close connections, or raise the limit of open files with prlimit")
    case .noSpace, .notPermitted, .readOnly, .failed: ("the disk is full", "make room")
    }
  }

  /// What an operator can do before restarting the server.
  package var remedy: String {
    switch self {
    case .noSpace: "make room on the disk, or raise the quota, then start again"
    case .noDescriptors: "raise the limit of open files (ulimit -n), then start again"
    case .notPermitted: "run as the owner of the data folder, or give its files back to the user that runs the server"
    case .readOnly: "mount the file system for writing, then start again"
    case .failed: "see to the disk, then start again"
    }
  }
}

extension DiskError {
  package var trouble: DiskTrouble { DiskTrouble(code) }

  /// Whether there is nothing at the path.
  var isAbsence: Bool { code == ENOENT || code == ENOTDIR }

  /// Whether the call failed for lack of space or descriptors, and may succeed later.
  package var isShortage: Bool { trouble.isShortage }
}
