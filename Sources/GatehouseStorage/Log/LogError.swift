/// Why a record was not accepted. Nothing of it was written.
package enum LogRefusal: Error, Equatable, Sendable {
  /// Backpressure: more bytes wait for the disk than allowed. Worth a retry.
  case busy
  /// There is no room: the disk or a quota is full, or no file can be opened. Records are accepted again once a write
  /// has succeeded (`LogWriter.shortage` says what is missing).
  case full
  /// The record is longer than `LogFormat.maximumRecord`.
  case tooLarge
  /// The record's time is before the previous record's time, which is given. It must take at least that time.
  case early(Int64)
  /// A write or a sync has failed, or the log was closed. Nothing is accepted until a restart.
  case failed(String)
  /// The log takes only frames that another node has written (`LogWriter.ingest`).
  case following
}

/// Whether the log accepts records.
package enum LogState: Equatable, Sendable {
  case open
  case full
  case failed(String)
  case closed
  /// It takes the frames of another node, and no records.
  case following
}

/// Why a log cannot be read or opened: where, what, and what to do about it.
package struct LogError: Error, Equatable, Sendable {
  package enum Code: Sendable {
    /// What was durable is damaged or gone.
    case corrupt
    /// A requested record, or a segment between two others, does not exist.
    case missing
    /// A file that does not belong in the folder.
    case stranger
    /// A newer version wrote it.
    case unsupported
    /// A frame needs a dictionary that this program does not have.
    case dictionary
    /// A frame is encrypted with a key that is not at hand.
    case locked
    /// The disk failed.
    case disk
  }

  package let code: Code
  /// The name of the file concerned, if any.
  package var segment: String?
  package var offset: UInt64?
  /// The first record that cannot be read.
  package var lsn: UInt64?
  /// Whether the disk can no longer read a part of the file.
  var isUnreadable = false
  package let detail: String
  /// The call that failed, if the disk did.
  package private(set) var cause: DiskError?

  package init(_ code: Code, segment: String? = nil, offset: UInt64? = nil, lsn: UInt64? = nil, _ detail: String) {
    self.code = code
    self.segment = segment
    self.offset = offset
    self.lsn = lsn
    self.detail = detail
  }

  init(_ error: DiskError, segment: String? = nil) {
    self.init(.disk, segment: segment, error.description)
    isUnreadable = error.isUnreadable
    cause = error
  }

  init(_ error: EncryptionError, lsn: UInt64) { self.init(.locked, lsn: lsn, error.description) }

  /// Whether the log is not what was once written, so that trying again does not help.
  package var isDamage: Bool {
    switch code {
    case .corrupt, .missing, .stranger: true
    case .disk: isUnreadable
    case .unsupported, .dictionary, .locked: false
    }
  }
}

extension LogError: CustomStringConvertible {
  package var description: String {
    var text = "log"
    if let segment { text += " \(segment)" }
    if let offset { text += " at offset \(offset)" }
    if let lsn { text += ", LSN \(lsn)" }
    return text + ": " + detail + (code == .locked ? "" : "; " + remedy)
  }

  /// What an operator can do.
  package var remedy: String {
    switch code {
    case .corrupt, .missing:
      return "run `gatehousectl verify` for all damage, and `gatehousectl restore` to go back to a backup"
    case .stranger: return "move the file out of the folder, once you know where it came from"
    case .unsupported: return "start the version that wrote this folder, or a later one"
    case .locked: return EncryptionError.howToGive
    case .dictionary: return "start the version that wrote this folder: it carries the dictionary"
    case .disk: return cause?.trouble.remedy ?? DiskTrouble.failed.remedy
    }
  }
}
