import GatehouseStorage
import Glibc
import Testing

@Suite struct DiskTests {
  let folder = TemporaryFolder()

  @Test func aFileIsReadAsItWasWritten() throws {
    for (disk, root) in [(PosixDisk(), folder.path), (SimulatedDisk(), "")] as [(any Disk, String)] {
      let path = root + "/file"
      let file = try disk.open(path, .create)
      try Array("hello".utf8).withUnsafeBytes { try file.writeAll($0, at: 3) }
      try file.sync()
      #expect(try disk.readFile(path) == [0, 0, 0] + Array("hello".utf8))
      #expect(try file.size() == 8)
      try file.truncate(to: 4)
      try file.allocate(6)
      try file.forgetCached()
      #expect(try disk.readFile(path) == [0, 0, 0, UInt8(ascii: "h"), 0, 0])
      #expect(throws: DiskError(call: "open", path: path, code: EEXIST)) { try disk.open(path, .create) }
      #expect(throws: DiskError(call: "open", path: path + "x", code: ENOENT)) { try disk.open(path + "x", .write) }
      try disk.createDirectory(root + "/sub")
      try disk.rename(path, to: root + "/sub/moved")
      #expect(try disk.list(root + "/sub") == ["moved"])
      try disk.syncDirectory(root + "/sub")
      try disk.remove(root + "/sub/moved")
      try disk.remove(root + "/sub")
      #expect(try disk.list(root.isEmpty ? "/" : root).isEmpty)
      #expect(try disk.freeBytes(root.isEmpty ? "/" : root) > 0)
    }
  }

  @Test func aLockHasOneHolder() throws {
    for (disk, root) in [(PosixDisk(), folder.path), (SimulatedDisk(), "")] as [(any Disk, String)] {
      let first = try disk.open(root + "/lock", .create)
      let second = try disk.open(root + "/lock", .write)
      #expect(try first.lock())
      #expect(try !second.lock())
      first.close()
      #expect(try second.lock())
    }
  }

  @Test func interruptedAndShortCallsAreContinued() throws {
    for fault in [FaultyDisk.Fault.error(EINTR), .short] {
      let disk = FaultyDisk(SimulatedDisk(), .init(call: 0, fault: fault, forGood: fault == .short))
      try disk.replaceFile("/file", with: Array(0..<100))
      #expect(try disk.readFile("/file") == Array(0..<100))
      #expect(disk.failures > 0)
    }
  }

  @Test func anEndlessInterruptionIsAFailure() throws {
    let disk = FaultyDisk(SimulatedDisk(), .init(call: 0, fault: .error(EINTR), forGood: true))
    #expect(throws: DiskError(call: "open", path: "/file.tmp", code: EINTR)) {
      try disk.replaceFile("/file", with: [1])
    }
  }

  /// Whenever power fails, the file has the old or the new bytes, and the new ones once the call returned.
  @Test func replacingAFileIsAtomic() throws {
    let old = [UInt8](repeating: 1, count: 3000)
    let new = [UInt8](repeating: 2, count: 5000)
    var operation = 0
    while true {
      let disk = SimulatedDisk()
      try disk.replaceFile("/file", with: old)
      disk.powerOff(before: disk.operations + operation)
      let isDone = (try? disk.replaceFile("/file", with: new)) != nil
      for seed in 0..<40 as Range<UInt64> {
        let found = try disk.survivor(seed: seed).readFile("/file")
        #expect(found == new || (!isDone && found == old), "power lost before operation \(operation), seed \(seed)")
      }
      if isDone { break }
      operation += 1
    }
    #expect(operation == 5)
  }

  @Test func aFailedSyncLosesDataThatReadsStillShow() throws {
    let disk = SimulatedDisk()
    disk.failSync(0)
    let file = try disk.open("/file", .create)
    try [UInt8](repeating: 7, count: 10).withUnsafeBytes { try file.writeAll($0, at: 0) }
    #expect(throws: DiskError.self) { try file.sync() }
    try file.sync()
    #expect(try disk.readFile("/file").count == 10)
    try file.forgetCached()
    #expect(try disk.readFile("/file").isEmpty)
  }
}
