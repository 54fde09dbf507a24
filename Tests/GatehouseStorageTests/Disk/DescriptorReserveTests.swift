import Glibc
import Testing

@testable import GatehouseStorage

/// What the reserve does while the process, or the whole system, has no descriptor left.
@Suite struct DescriptorReserveTests {
  /// Lends a descriptor, for a call that fails this often.
  private static func lend(
    _ reserve: DescriptorReserve, isWriting: Bool = true, failures: Int, code: Int32
  ) -> (result: Int32, code: Int32, calls: Int) {
    var calls = 0
    let result = reserve.lend(isWriting: isWriting) {
      calls += 1
      guard calls <= failures else { return 99 }
      errno = code
      return -1
    }
    return (result, errno, calls)
  }

  @Test(arguments: [EMFILE, ENFILE]) func oneIsGivenUpForEachCallWithoutDescriptor(code: Int32) {
    let reserve = DescriptorReserve()
    reserve.hold(4)
    #expect(reserve.count == 4)
    #expect(Self.lend(reserve, failures: 0, code: code).calls == 1)
    #expect(reserve.count == 4)
    #expect(Self.lend(reserve, failures: 3, code: code).result == 99)
    #expect(reserve.count == 1)
    let last = Self.lend(reserve, failures: 10, code: code)
    #expect(last.result == -1 && last.code == EMFILE && last.calls == 2)
    #expect(reserve.count == 0)
    reserve.refill()
    #expect(reserve.count == 4)
    reserve.hold(0)
  }

  @Test func readersLeaveHalfOfItToTheLog() {
    let reserve = DescriptorReserve()
    reserve.hold(4)
    #expect(Self.lend(reserve, isWriting: false, failures: 10, code: EMFILE).result == -1)
    #expect(reserve.count == 2)
    #expect(Self.lend(reserve, failures: 2, code: EMFILE).result == 99)
    #expect(reserve.count == 0)
    reserve.hold(0)
  }

  @Test func anotherErrorCostsNone() {
    let reserve = DescriptorReserve()
    reserve.hold(2)
    let failed = Self.lend(reserve, failures: 1, code: EACCES)
    #expect(failed.result == -1 && failed.code == EACCES && failed.calls == 1)
    #expect(reserve.count == 2)
    reserve.hold(0)
  }
}
