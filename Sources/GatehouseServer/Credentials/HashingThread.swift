import CArgon2
import GatehouseStorage
import Glibc

/// A thread that only runs Argon2, in memory of its own that it keeps between hashes.
///
/// Memory allocated anew for each hash is 19 MiB of page faults, which took a third of the hash's time. And a thread of
/// low priority stays on its core until its time slice is over, although a lane has work; an idle one leaves it at once,
/// as long as it yields now and then (`Pace`).
/// An idle thread may be stopped for long, so it must hold no lock that others want: it allocates and frees nothing. What
/// else belongs to a hash is done by whoever waits for it, on a thread of another priority.
final class HashingThread: @unchecked Sendable {
  /// What the thread and whoever wants a hash exchange. The two semaphores say whose it is.
  private final class Desk: @unchecked Sendable {
    let begun: UnsafeMutablePointer<sem_t>
    let done: UnsafeMutablePointer<sem_t>
    /// nil ends the thread.
    var job: (context: argon2_context, variant: argon2_type)?
    var code: Int32 = 0
    var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)

    init() {
      begun = .allocate(capacity: 1)
      done = .allocate(capacity: 1)
      sem_init(begun, 0, 0)
      sem_init(done, 0, 0)
    }

    deinit {
      for semaphore in [begun, done] {
        sem_destroy(semaphore)
        semaphore.deallocate()
      }
    }

    /// Runs Argon2 for whoever asks, until there is no job.
    func work(_ priority: PosixThread.Priority) {
      pthread_setspecific(HashingThread.deskKey, Unmanaged.passUnretained(self).toOpaque())
      let pace = Pace(for: priority)
      while true {
        HashingThread.wait(begun)
        guard job != nil else { return }
        pace.begin()
        code = argon2_ctx(&job!.context, job!.variant)
        pace.end()
        sem_post(done)
      }
    }
  }

  private let desk = Desk()
  private let thread: PosixThread

  /// libargon2 asks for memory on the thread that it runs on, and passes nothing to tell jobs apart.
  private static let deskKey: pthread_key_t = {
    var key = pthread_key_t()
    let code = pthread_key_create(&key, nil)
    guard code == 0 else { fatalError("pthread_key_create: \(String(cString: strerror(code)))") }
    return key
  }()

  init(priority: PosixThread.Priority) {
    thread = PosixThread(priority: priority) { [desk] in desk.work(priority) }
  }

  deinit {
    desk.job = nil
    sem_post(desk.begun)
    thread.join()
    giveBack()
  }

  /// How much memory it keeps.
  var bytes: Int { desk.memory.count }

  /// Runs Argon2 on the thread, and waits for it. Only one caller may.
  ///
  /// - Returns: the library's code.
  func run(_ context: argon2_context, _ variant: argon2_type) -> Int32 {
    guard reserve(Int(context.m_cost) * 1024) else { return ARGON2_MEMORY_ALLOCATION_ERROR.rawValue }
    var context = context
    context.allocate_cbk = { memory, count in
      let desk = Unmanaged<Desk>.fromOpaque(pthread_getspecific(HashingThread.deskKey)!).takeUnretainedValue()
      guard count <= desk.memory.count else { return ARGON2_MEMORY_ALLOCATION_ERROR.rawValue }
      memory!.pointee = desk.memory.baseAddress!.assumingMemoryBound(to: UInt8.self)
      return 0
    }
    // The library has erased it by now.
    context.free_cbk = { _, _ in }
    desk.job = (context, variant)
    sem_post(desk.begun)
    Self.wait(desk.done)
    return desk.code
  }

  /// Makes sure that there is as much memory as a hash needs, and that using it causes no page faults.
  private func reserve(_ bytes: Int) -> Bool {
    if bytes <= desk.memory.count { return true }
    giveBack()
    let address = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0)
    guard let address, address != MAP_FAILED else { return false }
    // Passwords could be found from what is in it, so it is in no core file.
    madvise(address, bytes, MADV_DONTDUMP)
    desk.memory = UnsafeMutableRawBufferPointer(start: address, count: bytes)
    return true
  }

  /// Returns the memory to the system. Not while a hash is computed.
  func giveBack() {
    if let address = desk.memory.baseAddress { munmap(address, desk.memory.count) }
    desk.memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  }

  private static func wait(_ semaphore: UnsafeMutablePointer<sem_t>) {
    while sem_wait(semaphore) != 0 {}
  }
}
