import Glibc
import Synchronization
import Testing

@testable import GatehouseStorage

/// What snapshots must survive: damage, power failure at any moment, and failing calls.
@Suite("Snapshot faults", .inClearAndEncrypted)
struct SnapshotFaultTests {
  @Test func everyFlippedByteAndEveryWrongLengthIsDetected() throws {
    let disk = SimulatedDisk()
    let folder = try FolderFixture.make(on: disk)
    let info = try SnapshotFixture.write(in: folder, lsn: 10)
    let sound = try disk.readFile(info.path)
    let catalog = SnapshotCatalog(folder)
    let entry = try catalog.entries()[0]

    func isFound(_ bytes: [UInt8]) throws -> Bool {
      try FolderFixture.edit(info.path, on: disk) { $0 = bytes }
      do throws(BlockFileError) {
        try catalog.openSound(entry).close()
        return false
      } catch {
        return true
      }
    }
    for at in sound.indices {
      var bytes = sound
      bytes[at] ^= [0x01, 0x10, 0x80, 0xFF][at & 3]
      #expect(try isFound(bytes), "byte \(at)")
    }
    for length in sound.indices { #expect(try isFound(Array(sound.prefix(length))), "length \(length)") }
    #expect(try isFound(sound + [0]))
    #expect(try isFound(Array(repeating: 0, count: sound.count)))
    #expect(try !isFound(sound))
  }

  /// Power fails before any operation of writing the third snapshot: the newest valid one is then the second or third,
  /// the previous valid one is still there, and a snapshot that `finish` returned is not lost.
  @Test func losesNothingToACrashAnywhere() throws {
    func prepared() throws -> (SimulatedDisk, DataFolder) {
      let disk = SimulatedDisk()
      let folder = try FolderFixture.make(on: disk)
      for lsn in [10, 20] as [UInt64] { try SnapshotFixture.write(in: folder, lsn: lsn) }
      return (disk, folder)
    }
    let (whole, wholeFolder) = try prepared()
    let first = whole.operations
    try SnapshotFixture.write(in: wholeFolder, lsn: 30)
    #expect(whole.operations - first > 8)
    for operation in first...whole.operations {
      for seed in 0..<6 as Range<UInt64> {
        let (disk, folder) = try prepared()
        disk.powerOff(before: operation)
        let isWritten = (try? SnapshotFixture.write(in: folder, lsn: 30)) != nil
        disk.powerOff()
        let survivor = disk.survivor(seed: seed)
        let again = try DataFolder.open(FolderFixture.path, disk: survivor, key: Encrypted.key)
        let catalog = SnapshotCatalog(again)
        let sound = try catalog.entries().filter { entry in
          guard let reader = try? catalog.openSound(entry) else { return false }
          return try SnapshotFixture.holds(reader)
        }
        #expect(sound.count >= 2, "operation \(operation), seed \(seed)")
        #expect(sound.count == (try catalog.entries().count), "a snapshot has its name before it is durable")
        if isWritten { #expect(sound.first?.lsn == 30) }
        try catalog.deleteTemporaries()
        #expect(try catalog.strangers().isEmpty)
      }
    }
  }

  @Test(arguments: [false, true])
  func aFailingCallNeverCostsASnapshot(forGood: Bool) throws {
    var call = 0
    while true {
      let base = SimulatedDisk()
      let disk = FaultyDisk(base)
      let folder = try FolderFixture.make(on: disk)
      for lsn in [10, 20] as [UInt64] { try SnapshotFixture.write(in: folder, lsn: lsn) }
      disk.arm(.init(call: call, fault: .error(call & 1 == 0 ? EIO : ENOSPC), forGood: forGood))
      let info = try? SnapshotFixture.write(in: folder, lsn: 30)
      let isOver = disk.failures == 0
      disk.arm(nil)
      let catalog = SnapshotCatalog(folder)
      let sound = try catalog.entries().filter { entry in
        guard let reader = try? catalog.openSound(entry) else { return false }
        return try SnapshotFixture.holds(reader)
      }
      #expect(sound.count >= 2, "call \(call)")
      if info != nil { #expect(sound.first?.lsn == 30) }
      // The next one succeeds, whatever the failed one left behind.
      #expect(try SnapshotFixture.write(in: folder, lsn: 40).lsn == 40)
      if isOver { break }
      call += 1
    }
    #expect(call > 15)
  }

  /// After a failed sync the disk may lack what reads still show: the snapshot must not count.
  @Test func aFailedSyncIsNotCovered() throws {
    let disk = SimulatedDisk()
    let folder = try FolderFixture.make(on: disk)
    try SnapshotFixture.write(in: folder, lsn: 10)
    disk.failSync(disk.state.withLock(\.fileSyncs))
    #expect(throws: SnapshotError.self) { try SnapshotFixture.write(in: folder, lsn: 20) }
    #expect(try SnapshotCatalog(folder).entries().map(\.lsn) == [10])
  }

  @Test func shortWritesAndSignalsAreNoFailure() throws {
    for fault in [FaultyDisk.Fault.short, .error(EINTR)] {
      for call in 0..<12 {
        let disk = FaultyDisk(SimulatedDisk())
        let folder = try FolderFixture.make(on: disk)
        disk.arm(.init(call: call, fault: fault, kinds: ["pwrite", "pread"]))
        try SnapshotFixture.write(in: folder, lsn: 10)
        let reader = try SnapshotCatalog(folder).openSound(SnapshotCatalog(folder).entries()[0])
        #expect(try SnapshotFixture.holds(reader))
      }
    }
  }
}
