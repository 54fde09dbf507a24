internal import Glibc
internal import Synchronization

/// File descriptors that a server holds in reserve, so that it can still open its own files when the process has none
/// left: the log's next segment, a folder to sync, a snapshot.
///
/// To lend a descriptor, the reserve closes it, and the file takes its place. When a file of the process is closed, the
/// reserve opens a descriptor again.
package final class DescriptorReserve: Sendable {
  package static let shared = DescriptorReserve()

  private struct State: Sendable {
    var held: [Int32] = []
    var wanted = 0
  }

  private let state = Mutex(State())

  /// Holds this many descriptors from now on, as far as any are available.
  package func hold(_ count: Int) {
    state.withLock { state in
      state.wanted = count
      while state.held.count > count { close(state.held.removeLast()) }
    }
    refill()
  }

  /// How many are held now.
  package var count: Int { state.withLock { $0.held.count } }

  /// Refills the reserve, as far as descriptors are available.
  func refill() {
    state.withLock { state in
      while state.held.count < state.wanted {
        let descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        state.held.append(descriptor)
      }
    }
  }

  /// Makes `call`, which returns a descriptor, or -1 and sets `errno`. If no descriptor is left, gives one up and tries
  /// again, while the reserve lasts.
  ///
  /// - Parameter isWriting: a reader may take only half of the reserve, so that readers cannot stop the log from
  ///   writing.
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
