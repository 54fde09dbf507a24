import GatehouseTestSupport
import GatehouseWire
import Testing

@testable import gatehouse

/// Reads `COMMAND DOCS` as sent by a server into the catalogue.
@Suite(.blocking) struct CommandDocsTests {
  private static func map(_ pairs: [(String, RESPValue)]) -> RESPValue {
    .map(pairs.map { RESPValue.Pair(.bulk($0.0), $0.1) })
  }

  private static let argument = map([
    ("name", .bulk("reason")), ("type", .bulk("string")), ("token", .bulk("REASON")),
    ("flags", .array([.simple("optional")])),
  ])

  private static let docs = map([
    (
      "timer.stop",
      map([
        ("summary", .bulk("Stop it")), ("since", .bulk("1.0.0")),
        ("arguments", .array([map([("name", .bulk("user")), ("type", .bulk("string"))]), argument])),
      ])
    ),
    ("client", map([("subcommands", map([("client|list", map([("summary", .bulk("List"))]))]))])),
  ])

  @Test func `both protocol versions give the same catalogue`() {
    for docs in [Self.docs, Self.flat(Self.docs)] {
      let catalogue = CommandCatalogue(docs: docs)
      #expect(catalogue.names == ["CLIENT", "TIMER.STOP"])
      #expect(catalogue.command(of: ["timer.stop"])?.help.usage == "TIMER.STOP user [REASON reason]")
      #expect(catalogue.command(of: ["timer.stop"])?.help.summary == "Stop it")
      #expect(catalogue.completions(of: "L", after: ["CLIENT"]) == ["LIST"])
    }
  }

  @Test(arguments: [RESPValue.error("ERR unknown"), .null, .integer(1), .array([.null, .null])])
  func `other replies give an empty catalogue`(reply: RESPValue) {
    #expect(CommandCatalogue(docs: reply).names.isEmpty)
  }

  /// The RESP2 form: every map as a flat array.
  private static func flat(_ value: RESPValue) -> RESPValue {
    switch value {
    case .map(let pairs): .array(pairs.flatMap { [flat($0.key), flat($0.value)] })
    case .array(let elements): .array(elements.map(flat))
    default: value
    }
  }
}
