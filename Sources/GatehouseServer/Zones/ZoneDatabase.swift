import GatehouseCore
import Glibc

/// The system's time zone database, as the package tzdata installs it: nested folders of TZif files, whose paths are
/// the zone names.
struct ZoneDatabase {
  /// The folder has no zones.
  struct Missing: Error, CustomStringConvertible {
    let path: String

    var description: String {
      "there is no time zone database in \(path); install the package tzdata, or name its folder with --zone-data"
    }
  }

  /// What else lies in the folder: the same zones in other forms, and copies whose names are not zone names.
  private static let others: Set<String> = ["posix", "right", "localtime", "posixrules", "Factory"]
  /// How deep folders may be nested; the database has two levels.
  private static let deepest = 4
  /// The most zones that are read, far more than exist.
  private static let most = 5000

  private var zones: [Zone] = []
  /// A zone with several names is a file with several links, and is read once.
  private var known: [FileIdentity: ZoneRules] = [:]

  private struct FileIdentity: Hashable {
    let device: dev_t
    let inode: ino_t
  }

  /// Files that begin like zones but cannot be read, with the reason.
  private var problems: [String] = []

  /// Reads all zones.
  ///
  /// - Returns: the table, and the problems of files that could not be read.
  static func read(_ path: String) throws(Missing) -> (table: ZoneTable, problems: [String]) {
    var database = ZoneDatabase()
    database.readFolder(path, prefix: "", depth: 0)
    guard !database.zones.isEmpty else { throw Missing(path: path) }
    return (ZoneTable(database.zones), database.problems)
  }

  private mutating func readFolder(_ path: String, prefix: String, depth: Int) {
    guard depth < Self.deepest, let folder = opendir(path) else { return }
    defer { closedir(folder) }
    while zones.count < Self.most, let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard !name.hasPrefix("."), !Self.others.contains(name) else { continue }
      readEntry("\(path)/\(name)", "\(prefix)\(name)", depth)
    }
  }

  private mutating func readEntry(_ path: String, _ name: String, _ depth: Int) {
    var facts = stat()
    guard stat(path, &facts) == 0 else { return }
    if facts.st_mode & S_IFMT == S_IFDIR { return readFolder(path, prefix: "\(name)/", depth: depth + 1) }
    guard facts.st_mode & S_IFMT == S_IFREG, (1...ZoneRules.largestFile).contains(Int(facts.st_size)),
      EntityNames.isZone(name)
    else { return }
    let identity = FileIdentity(device: facts.st_dev, inode: facts.st_ino)
    if let rules = known[identity] { return zones.append(Zone(name: name, rules: rules)) }
    let bytes = Self.contents(path, count: Int(facts.st_size))
    bytes.withUnsafeBytes { bytes in
      guard ZoneRules.isZone(bytes) else { return }
      do throws(ZoneError) {
        let rules = try ZoneRules(file: bytes)
        known[identity] = rules
        zones.append(Zone(name: name, rules: rules))
      } catch {
        problems.append("\(path): \(error)")
      }
    }
  }

  /// The bytes of a file, as far as they can be read.
  private static func contents(_ path: String, count: Int) -> [UInt8] {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return [] }
    defer { close(file) }
    return [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let got = Glibc.read(file, buffer.baseAddress! + filled, count - filled)
        if got < 0, errno == EINTR { continue }
        guard got > 0 else { break }
        filled += got
      }
    }
  }
}
