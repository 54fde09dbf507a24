internal import Glibc

/// Core files: what the kernel or a debugger writes of a process's memory when it crashes, or while it runs.
///
/// Passwords, tokens, keys and what is known of people are all over the memory of a server: in requests, in the state, in
/// what is about to be written. So none of its memory is written, and no file at all where the kernel writes one by itself.
/// Some systems hand the dump to a program instead, whatever the limit says; it gets one without memory, and so does
/// `gcore`. Whoever may attach a debugger can read the memory all the same.
package enum CoreFile {
  /// - Returns: false if the kernel did not take it, such as where `/proc` is not mounted.
  @discardableResult
  package static func leaveOutMemory() -> Bool {
    var none = rlimit(rlim_cur: 0, rlim_max: 0)
    let isLimited = setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none) == 0
    let file = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return false }
    defer { close(file) }
    return write(file, "0", 1) == 1 && isLimited
  }
}
