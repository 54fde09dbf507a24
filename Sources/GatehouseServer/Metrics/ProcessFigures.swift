// Both, because the members of `timespec` count as those of whichever module the compiler has met first.
import CEpoll
import Glibc

/// What the kernel reports about this process.
enum ProcessFigures {
  /// Resident memory in bytes.
  static var residentBytes: Int {
    guard let text = read("/proc/self/statm") else { return 0 }
    let fields = text.split(separator: " ")
    return fields.count > 1 ? (Int(fields[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE))) : 0
  }

  /// Peak resident memory in bytes.
  static var peakBytes: Int {
    guard let line = read("/proc/self/status")?.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") })
    else { return residentBytes }
    return (line.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) } ?? 0) * 1024
  }

  /// Seconds of processor time, in the kernel and in the program.
  static var processorSeconds: (system: Double, user: Double) {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    return (seconds(usage.ru_stime), seconds(usage.ru_utime))
  }

  static var processID: Int { Int(getpid()) }

  static var systemName: String {
    var name = utsname()
    uname(&name)
    func text(_ field: inout some Any) -> String {
      withUnsafeBytes(of: &field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
    return "\(text(&name.sysname)) \(text(&name.release)) \(text(&name.machine))"
  }

  static var executable: String {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &buffer, buffer.count)
    return count > 0 ? String(decoding: buffer.prefix(count), as: UTF8.self) : ""
  }

  private static func read(_ path: String) -> String? {
    let file = open(path, O_RDONLY)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var buffer = [UInt8](repeating: 0, count: 8192)
    let count = Glibc.read(file, &buffer, buffer.count)
    return count > 0 ? String(decoding: buffer.prefix(count), as: UTF8.self) : nil
  }
}
