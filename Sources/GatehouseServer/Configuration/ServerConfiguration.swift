package import Logging

/// Everything that an operator can choose about a server.
///
/// The defaults stand here, and `Setting.all` is the table through which flags, environment, file and
/// `CONFIG GET`/`CONFIG SET` read and write these properties; a property that is not in the table cannot
/// be set from outside.
package struct ServerConfiguration: Sendable, Equatable {
  /// When a change counts as durable, and so when its reply may leave.
  package enum Durability: Sendable, Equatable {
    /// Every reply waits until the log is synced through what it shows. Nothing acknowledged is ever lost.
    case always
    /// The log is synced at most this often and replies do not wait for it: a power loss may take back what
    /// was acknowledged within the last interval. A crash of the process alone takes back nothing written.
    case interval(Duration)
  }

  /// How long compacted log is kept in the archive.
  package enum Retention: Sendable, Equatable {
    case forever
    case atLeast(Duration)
  }

  /// Whether something is done.
  package enum Switch: String, Sendable, CaseIterable {
    case yes
    case no
  }

  /// What a start believes where the newest record is over a day ahead of the machine's clock.
  package enum ClockConflict: String, Sendable, CaseIterable {
    /// Neither: the server does not start, and says so.
    case refuse
    /// The clock: time goes back to it. All sessions end, as they were to end by a time that is not believed.
    case clock
    /// The newest record: time goes on from there.
    case log
  }

  /// How log lines look on standard error.
  package enum LogFormat: String, Sendable, CaseIterable {
    case text
    case json
  }

  /// The folder of the log, the snapshots and the archive. It is made if it is not there.
  package var dataPath = "./data"

  /// The address to listen on. Only loopback addresses are open without a service identity.
  package var host = "127.0.0.1"

  /// The TCP port to listen on; 0 takes any free one, which the log names.
  package var port = 7420

  /// How many event-loop threads serve; nil means one less than the cores, and at least one: the log
  /// writer needs a core of its own to sync while the lanes decide.
  package var lanes: Int?

  /// How many partitions the state is divided into, a power of two. Taken only when the data folder is
  /// made, since every id carries its partition; later starts read it from the folder's manifest, and
  /// warn where the setting was given and says otherwise.
  ///
  /// So many that lanes seldom meet in one. Against 64, which folders of earlier versions have, 256 took 0.1 MB more
  /// and, with one and two lanes, 0 to 6 % more server time a command, within the noise of the measurement.
  package var partitions = 256

  /// How many clients may be connected at once; one more is answered with an error and closed.
  package var maxConnections = 10_000

  package var durability = Durability.always

  /// The size of a log segment, made ahead of need on disk.
  package var segmentBytes = 64 * mebibyte

  /// A snapshot is taken once this much log was written since the last one; 0 turns this trigger off.
  package var snapshotEveryBytes = 256 * mebibyte

  /// A snapshot is taken this long after the last one if anything changed; zero turns this trigger off.
  package var snapshotEvery: Duration = .seconds(3600)

  /// How long the archive keeps log that snapshots cover. The log is the audit trail, so nothing of it is
  /// deleted unless an operator has said after how long it may be.
  package var archiveRetention = Retention.forever

  /// A command that takes longer than this many microseconds on its lane is kept in the slow log; −1 keeps
  /// none.
  package var slowlogThreshold = 10_000

  /// How many commands the slow log keeps; the oldest gives way.
  package var slowlogLength = 128

  /// How many refused logins each lane keeps; the oldest gives way. They take 168 bytes each, from the start.
  package var refusalsLength = 1000

  /// How many bytes may wait for a client that does not read its replies, replies and further requests together, before
  /// it is disconnected. A client that goes on reading is not, however large its replies are.
  package var clientOutputLimit = 64 * mebibyte

  /// How many bytes may wait for all clients together. Beyond it clients are disconnected, first those that read
  /// nothing, and of these the ones for which the most waits.
  package var totalOutputLimit = 512 * mebibyte

  /// A connection that sends nothing for this long is closed; zero leaves it open for good.
  package var idleTimeout: Duration = .zero

  /// Whether `PING` is answered to whoever has not authenticated: health checks of proxies cannot.
  package var pingBeforeAuthentication = Switch.no

  package var logLevel = Logger.Level.info

  package var logFormat = LogFormat.text

  /// How many bytes of encoded changes may wait for the log writer. Beyond it writes are answered `BUSY`
  /// until the disk has caught up, so that a slow disk never grows the memory without end.
  package var logStagedLimit = 64 * mebibyte

  /// The zstd level of log frames: higher is smaller and slower. The archive is recompressed in the
  /// background at a level of its own.
  package var compressionLevel = 1

  package var clockConflict = ClockConflict.refuse

  /// The folder of the time zone database, which the package tzdata installs.
  package var zonePath = "/usr/share/zoneinfo"

  package init() {}

  static let mebibyte = 1 << 20
}

extension ServerConfiguration {
  /// The number of lanes on a machine of `cores` cores.
  package func laneCount(cores: Int) -> Int {
    min(lanes ?? max(1, cores - 1), partitions)
  }

  /// Checks what no single setting can know: whether the settings fit each other.
  package func validate() throws(SettingError) {
    if let lanes, lanes > partitions {
      throw SettingError(
        setting: Setting.lanes.name, value: "\(lanes)",
        problem: "is more than the \(partitions) partitions that lanes share; give at most as many lanes as partitions")
    }
    if snapshotEveryBytes != 0, snapshotEveryBytes < segmentBytes {
      throw SettingError(
        setting: Setting.snapshotBytes.name, value: Setting.snapshotBytes.text(in: self),
        problem: "is less than one segment of \(Setting.segmentBytes.text(in: self)), the least that a snapshot can "
          + "free; give at least \(Setting.segmentBytes.name), or 0 to turn this trigger off")
    }
  }

  /// This configuration with the values of `other` for all settings that a running server can change.
  ///
  /// - Returns: the result, and the settings whose new value waits for the next start.
  package func adoptingLiveSettings(of other: ServerConfiguration) -> (ServerConfiguration, waiting: [Setting]) {
    var adopted = self
    var waiting: [Setting] = []
    for setting in Setting.all where setting.text(in: other) != setting.text(in: self) {
      if setting.isLive {
        setting.copy(from: other, into: &adopted)
      } else {
        waiting.append(setting)
      }
    }
    return (adopted, waiting)
  }
}
