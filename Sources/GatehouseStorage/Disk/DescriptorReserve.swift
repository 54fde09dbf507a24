internal import Glibc
internal import Synchronization

/// Descriptors that a server holds for its files, so that it can open them when no others are left: the log's next segment,
/// a folder that is to be synced, a snapshot.
///
/// A descriptor that is lent is closed, and the file opened in its place. When one of the process's files is closed, the
/// reserve takes a descriptor back.
package final class DescriptorReserve: Sendable {
  package static let shared = DescriptorReserve()

  private struct State: Sendable {
    var held: [Int32] = []
    var wanted = 0
  }

  private let state = Mutex(State())

  /// Holds so many descriptors from now on, as far as there are any.
  package func hold(_ count: Int) {
    state.withLock { state in
      state.wanted = count
      while state.held.count > count { close(state.held.removeLast()) }
    }
    refill()
  }

  /// How many are held.
  package var count: Int { state.withLock { $0.held.count } }

  /// Takes back what was lent, as far as there are descriptors.
  func refill() {
    state.withLock { state in
      while state.held.count < state.wanted {
        let descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        state.held.append(descriptor)
      }
    }
  }

  /// Makes `call`, which answers a descriptor or -1 and sets `errno`; again, as often as there is a descriptor to lend,
  /// where none was left for it.
  ///
  /// - Parameter isWriting: who only reads is lent half of them, so that readers do not keep the log from writing.
  func lend(isWriting: Bool, _ call: () -> Int32) -> Int32 {
    while true {
      let descriptor = call()
      guard descriptor < 0, errno == EMFILE || errno == ENFILE, giveOne(isWriting) else { return descriptor }
    }
  }

  private func giveOne(_ isWriting: Bool) -> Bool {
    state.withLock { state in
      guard state.held.count > (isWriting ? 0 : state.wanted / 2) else {
        errno = EMFILE
        return false
      }
      close(state.held.removeLast())
      return true
    }
  }
}
