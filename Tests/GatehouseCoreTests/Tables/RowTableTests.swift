import GatehouseTestSupport
import Testing

@testable import GatehouseCore

@Suite struct RowTableTests {
  private func contact(_ version: UInt32) -> ContactRow {
    var row = ContactRow()
    row.version = version
    return row
  }

  private func details(_ table: borrowing RowTable<ContactRow>, _ serial: Int) -> [UInt8] {
    table.withDetails(of: serial) { Array($0) }
  }

  @Test func rowsAreFoundByTheirSerialNumber() {
    var table = RowTable<ContactRow>()
    #expect(table.last == 0)
    table.put(contact(5), at: 3)
    #expect(table.last == 3)
    let isFound = (0...4).map { table.contains($0) }
    #expect(isFound == [false, true, true, true, false])
    #expect(!table[1].isUsed)
    #expect(table[3].version == 5)
    table[3].version += 1
    #expect(table[3].version == 6)
    table.setDetails(of: 3, [1, 2])
    table.put(contact(1), at: 3)
    #expect(details(table, 3) == [])
  }

  /// A copy is independent of changes to the original.
  @Test func aCopyStaysAsItWas() {
    var table = RowTable<ContactRow>()
    for serial in 1...200 {
      table.put(contact(UInt32(serial)), at: serial)
      table.setDetails(of: serial, [UInt8(serial)])
    }
    let copy = table.copy()
    for serial in 1...200 {
      table[serial].version = 0
      table.setDetails(of: serial, [])
    }
    table.put(contact(1), at: 201)
    #expect(copy.last == 200)
    let isUnchanged = (1...200).map { copy[$0].version == UInt32($0) && details(copy, $0) == [UInt8($0)] }
    #expect(!isUnchanged.contains(false))
    #expect(table[7].version == 0)
  }

  /// The original is independent of changes to the copy, and copies can be copied.
  @Test func copiesOfCopiesAreIndependent() {
    var table = RowTable<ContactRow>()
    table.put(contact(1), at: 1)
    var copy = table.copy()
    var second = copy.copy()
    copy[1].version = 2
    second[1].version = 3
    table[1].version += 10
    let third = second.copy()
    second[1].version += 10
    #expect([table[1].version, copy[1].version, second[1].version, third[1].version] == [11, 2, 13, 3])
  }

  /// Behaves like a dictionary through thousands of changes of all sizes.
  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func behavesLikeADictionary(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    var table = RowTable<ContactRow>()
    var expected: [Int: (version: UInt32, details: [UInt8])] = [:]
    for step in 0..<5000 {
      let serial = Int.random(in: 1...max(1, min(300, table.last + 1)), using: &random)
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<3:
        table.put(contact(UInt32(step + 1)), at: serial)
        expected[serial] = (UInt32(step + 1), [])
      case 3 where table.contains(serial):
        table[serial].version = UInt32(step + 1)
        expected[serial]?.version = UInt32(step + 1)
      case 4... where table.contains(serial):
        let count = Int.random(in: 0...(step % 7 == 0 ? 500 : 30), using: &random)
        let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
        table.setDetails(of: serial, ContiguousArray(bytes))
        expected[serial]?.details = bytes
      default: break
      }
    }
    #expect(table.last == expected.keys.max())
    expect(table, expected)
    let decoded = try decoded(encoded(table))
    #expect(decoded.last == table.last)
    expect(decoded, expected)
  }

  private func expect(
    _ table: borrowing RowTable<ContactRow>, _ expected: [Int: (version: UInt32, details: [UInt8])]
  ) {
    for (serial, row) in expected {
      let (version, details) = (table[serial].version, details(table, serial))
      #expect(version == row.version && details == row.details)
    }
  }

  private func encoded(_ table: borrowing RowTable<ContactRow>) -> ContiguousArray<UInt8> {
    var writer = ByteWriter()
    table.encode(into: &writer) { $0.stored($1) }
    return writer.bytes
  }

  private func decoded(_ bytes: ContiguousArray<UInt8>) throws -> RowTable<ContactRow> {
    let raw = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    defer { raw.deallocate() }
    raw.copyBytes(from: bytes)
    var reader = ByteReader(UnsafeRawBufferPointer(raw))
    return try RowTable<ContactRow>(from: &reader) { (reader) throws(CodingError) in
      try reader.stored(ContactRow(), StoredLayout(form: .measured, seals: nil))
    }
  }

  @Test func aDecodedTableCanGrow() throws {
    for count in [1, 63, 64, 65, 130] {
      var table = RowTable<ContactRow>()
      for serial in 1...count {
        table.put(contact(1), at: serial)
        table.setDetails(of: serial, [UInt8(serial)])
      }
      var decoded = try decoded(encoded(table))
      for serial in count + 1...count + 70 {
        decoded.put(contact(2), at: serial)
        decoded.setDetails(of: serial, [UInt8(serial), 0])
      }
      decoded.setDetails(of: 1, [9, 9, 9])
      #expect(details(decoded, 1) == [9, 9, 9])
      for serial in 2..<count + 71 {
        let found = details(decoded, serial)
        #expect(found == (serial <= count ? [UInt8(serial)] : [UInt8(serial), 0]))
      }
    }
  }
}
