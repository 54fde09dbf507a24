import Testing

@testable import GatehouseCore

@Suite struct DetailsTests {
  @Test func fieldsAreSetReplacedAndRemoved() {
    var details = Details()
    #expect(details[text: 1] == "")
    details[text: 1] = "one"
    details[text: 200] = "two"
    details[text: 7] = "Zoë"
    #expect([details[text: 1], details[text: 200], details[text: 7]] == ["one", "two", "Zoë"])
    details[text: 1] = "another"
    #expect([details[text: 1], details[text: 200], details[text: 7]] == ["another", "two", "Zoë"])
    details[text: 200] = ""
    #expect([details[text: 1], details[text: 200], details[text: 7]] == ["another", "", "Zoë"])
    details[text: 1] = ""
    details[text: 7] = ""
    #expect(details.bytes.isEmpty)
  }

  @Test(arguments: [0, 1, 127, 128, 129, 4096, 16_383, 16_384, 100_000])
  func fieldsHaveAnyLength(_ count: Int) {
    var details = Details()
    details[text: 1] = "before"
    details[text: 2] = String(repeating: "x", count: count)
    details[text: 3] = "after"
    #expect(details[text: 2].utf8.count == count)
    #expect(details[text: 1] == "before")
    #expect(details[text: 3] == "after")
  }

  @Test func codedValuesComeBack() throws {
    var details = Details()
    let grants = [
      Grant(role: .manager, scope: .workspace(3), isMain: true),
      Grant(role: .individual, scope: .everywhere, isMain: false),
    ]
    details.encode(9) { $0.list(grants) { $0.grant($1) } }
    let read = try details.decode(9) { (reader) throws(CodingError) in
      try reader.list { (reader) throws(CodingError) in try reader.grant() }
    }
    #expect(read == grants)
    #expect(try details.decode(8) { (reader) throws(CodingError) in try reader.varint() } == nil)
  }
}
