import GatehouseWire
import Testing
@testable import gatehousectl

/// What `gatehousectl cluster verify` says of two nodes' keys.
@Suite struct NodeKeysTests {
  private static let reply = RESPValue.map([
    RESPValue.Pair(.bulk("lsn"), .integer(9)), RESPValue.Pair(.bulk("store"), .bulk("5f0c")),
    RESPValue.Pair(.bulk("generation"), .integer(3)), RESPValue.Pair(.bulk("nodes"), .integer(52)),
    RESPValue.Pair(.bulk("destroyed"), .bulk("aa")), RESPValue.Pair(.bulk("keys"), .bulk("bb")),
    RESPValue.Pair(.bulk("ring"), .null), RESPValue.Pair(.bulk("master"), .null),
    RESPValue.Pair(.bulk("data-key"), .null), RESPValue.Pair(.bulk("data-keys"), .null),
  ])

  @Test func nodesThatHaveTheSameDifferInNothing() {
    let one = NodeKeys(Self.reply)
    var values = one.values
    #expect(values == ["lsn": "9", "store": "5f0c", "generation": "3", "nodes": "52", "destroyed": "aa", "keys": "bb"])
    // Fewer steps, and another moment.
    values["generation"] = "2"
    values["lsn"] = "10"
    #expect(NodeKeys(values: values).differences(from: one) == [])
  }

  @Test func differencesAreNamed() {
    let one = NodeKeys(Self.reply)
    var values = one.values
    values["destroyed"] = "cc"
    values["nodes"] = "51"
    #expect(!NodeKeys(values: values).hasOthers(than: one))
    values["ring"] = "77ab"
    values["data-keys"] = "1 2"
    #expect(
      NodeKeys(values: values).differences(from: one) == [
        "destroyed keys: cc, and not aa", "number of key nodes: 51, and not 52", "key ring: 77ab, and not none",
        "data keys: 1 2, and not none",
      ])
    #expect(one.differences(from: NodeKeys(values: values)).last == "data keys: none, and not 1 2")
    #expect(NodeKeys(values: values).hasOthers(than: one))
  }
}
