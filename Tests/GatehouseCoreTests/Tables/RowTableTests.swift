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
    #expect(!table.contains(1))
    table.put(contact(5), at: 3)
    #expect(table.last == 3)
    #expect(!table.contains(0))
    #expect(!table[1].isUsed)
    #expect(table[3].version == 5)
    table[3].version += 1
    #expect(table[3].version == 6)
    table.setDetails(of: 3, [1, 2])
    table.put(contact(1), at: 3)
    #expect(details(table, 3) == [])
  }

  /// A copy is another table, whatever is done to the first.
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
    #expect((1...200).allSatisfy { copy[$0].version == UInt32($0) && details(copy, $0) == [UInt8($0)] })
  }

  /// The same as a plain dictionary, through thousands of changes of all sizes.
  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func behavesAsADictionary(seed: UInt64) throws {
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
    #expect(
      expected.allSatisfy { table[$0.key].version == $0.value.version && details(table, $0.key) == $0.value.details })
    var writer = ByteWriter()
    table.encode(into: &writer) { $1.encode(&$0) }
    let decoded = try writer.bytes.withUnsafeBytes { raw in
      var reader = ByteReader(raw)
      return try RowTable<ContactRow>(from: &reader) { (reader) throws(CodingError) in try ContactRow(from: &reader) }
    }
    #expect(decoded.last == table.last)
    #expect(
      expected.allSatisfy {
        decoded[$0.key].version == $0.value.version && details(decoded, $0.key) == $0.value.details
      })
  }

  @Test func aDecodedTableGrowsOn() throws {
    for count in [1, 63, 64, 65, 130] {
      var table = RowTable<ContactRow>()
      for serial in 1...count {
        table.put(contact(1), at: serial)
        table.setDetails(of: serial, [UInt8(serial)])
      }
      var writer = ByteWriter()
      table.encode(into: &writer) { $1.encode(&$0) }
      var decoded = try writer.bytes.withUnsafeBytes { raw in
        var reader = ByteReader(raw)
        return try RowTable<ContactRow>(from: &reader) { (reader) throws(CodingError) in try ContactRow(from: &reader) }
      }
      for serial in count + 1...count + 70 {
        decoded.put(contact(2), at: serial)
        decoded.setDetails(of: serial, [UInt8(serial), 0])
      }
      decoded.setDetails(of: 1, [9, 9, 9])
      #expect(details(decoded, 1) == [9, 9, 9])
      #expect((2..<count + 1).allSatisfy { details(decoded, $0) == [UInt8($0)] })
      #expect((count + 1...count + 70).allSatisfy { details(decoded, $0) == [UInt8($0), 0] })
    }
  }
}
