import CThreads
import Glibc
import Synchronization
import Testing

@testable import GatehouseStorage

@Suite struct ThreadTests {
  /// The calling thread's scheduling class and niceness, as `/proc` shows them.
  private static var standing: [Int32] {
    [PosixThread.Priority.current, getpriority(Int32(PRIO_PROCESS.rawValue), 0)]
  }

  @Test(arguments: [PosixThread.Priority.prompt, .normal, .low, .idle])
  func onlyTheThreadGetsThePriority(priority: PosixThread.Priority) {
    let seen = Mutex<[Int32]>([])
    let before = Self.standing
    PosixThread(priority: priority) {
      let now = Self.standing
      seen.withLock { $0 = now }
    }.join()
    let found = seen.withLock { $0 }
    let isAsBefore = priority == .normal || priority == .prompt
    #expect(found == (isAsBefore ? before : [priority.schedulingClass, 19]))
    #expect(Self.standing == before)
  }

  /// Kernels before 6.12 know no time slices of single threads.
  @Test(.enabled(if: time_slice() > 0))
  func onlyAPromptThreadTakesShortTurns() {
    let slices = Mutex<[UInt64]>([])
    for priority in [PosixThread.Priority.prompt, .normal] {
      PosixThread(priority: priority) {
        let slice = time_slice()
        slices.withLock { $0.append(slice) }
      }.join()
    }
    #expect(slices.withLock { $0 } == [100_000, time_slice()])
  }

  /// The signal that has an idle thread yield ends whatever it sleeps in, but no call that must not be interrupted.
  @Test(arguments: [PosixThread.Priority.normal, .low, .idle])
  func onlyAnIdleThreadYieldsWhileItComputes(priority: PosixThread.Priority) {
    let results = Mutex<[Int32]>([])
    PosixThread(priority: priority) {
      let pace = Pace(for: priority)
      let before = usleep(1_000)
      pace.begin()
      let meanwhile = usleep(100_000)
      let undisturbed = Pace.undisturbed { usleep(10_000) }
      let again = usleep(100_000)
      let code = Pace.undisturbed { close(-1) } == -1 ? errno : 0
      pace.end()
      let afterwards = usleep(1_000)
      results.withLock { $0 = [before, meanwhile, undisturbed, again, code, afterwards] }
    }.join()
    let ended: Int32 = priority == .idle ? -1 : 0
    #expect(results.withLock { $0 } == [0, ended, 0, ended, EBADF, 0])
  }

  /// Others that want the core get it often, and cost nothing once they are gone.
  @Test func aThreadYieldsOftenWhileOthersWantItsCore() {
    var interval = PaceInterval()
    func note(_ hasLetRun: Bool, times: Int = 1) -> [Int] {
      (0..<times).compactMap { _ in interval.note(hasLetRun: hasLetRun) ? interval.nanoseconds / 1000 : nil }
    }
    #expect(interval.nanoseconds == 2_000_000)
    #expect(note(false, times: 100) == [])
    #expect(note(true) == [250] && note(true) == [])
    #expect(note(false, times: PaceInterval.calmYields - 1) == [])
    // One that let others run counts anew.
    #expect(note(true) == [] && note(false, times: PaceInterval.calmYields) == [500])
    #expect(note(false, times: 100) == [1000, 2000])
    #expect(note(true) == [250])
  }

  @Test func aWaitEndsWithItsConditionOrDeadline() {
    let condition = ThreadCondition()
    let start = MonotonicClock.now()
    let isMet = condition.wait(for: { false }, until: start + 20_000_000)
    #expect(!isMet && MonotonicClock.now() >= start + 20_000_000)
    let isDone = Atomic(false)
    let thread = PosixThread {
      usleep(10_000)
      condition.signal { isDone.store(true, ordering: .relaxed) }
    }
    let patience = MonotonicClock.now() + 20_000_000_000
    let isSo = condition.wait(for: { isDone.load(ordering: .relaxed) }, until: patience)
    #expect(isSo && MonotonicClock.now() < patience)
    thread.join()
  }
}
