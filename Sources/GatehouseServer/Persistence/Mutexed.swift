import Synchronization

/// A mutex as a reference type, so that closures can share it.
final class Mutexed<Value: ~Copyable>: Sendable {
  private let mutex: Mutex<Value>

  init(_ value: consuming sending Value) { mutex = Mutex(value) }

  func withLock<Result>(_ body: (inout sending Value) -> sending Result) -> sending Result {
    mutex.withLock(body)
  }
}
