import GatehouseTestSupport
import Testing

/// Many operations in one request.
@Suite(.blocking) struct SCIMBulkTests {
  let client: SCIMClient

  init() throws { client = try SCIMClient() }

  private func bulk(_ operations: String, _ more: String = "") throws -> SCIMClient.Answer {
    try client.send(
      "POST", "/Bulk",
      #"{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"]\#(more),"Operations":[\#(operations)]}"#)
  }

  @Test("an operation names what another one makes, also a later one") func references() throws {
    let answer = try bulk(
      #"""
      {"method":"POST","path":"/Groups","bulkId":"g","data":{"displayName":"G","members":[{"value":"bulkId:u"}]}},
      {"method":"POST","path":"/Users","bulkId":"u","data":{"userName":"ana"}},
      {"method":"PATCH","path":"/Users/bulkId:u","data":{"Operations":[{"op":"add","path":"title","value":"Boss"}]}},
      {"method":"POST","path":"/Users","bulkId":"x","data":{"userName":"ANA"}},
      {"method":"POST","path":"/Groups","bulkId":"y","data":{"displayName":"H","members":[{"value":"bulkId:x"}]}}
      """#)
    #expect(answer.status == 200)
    #expect(answer.values("Operations", "status") == ["201", "201", "200", "409", "409"])
    #expect(answer("Operations.3.response.scimType") == "uniqueness")
    let id = try #require(answer("Operations.1.location")?.split(separator: "/").last.map(String.init))
    #expect(try client.get("/Users/\(id)")("title") == "Boss")
    #expect(try client.get("/Users/\(id)")("groups.0.display") == "G")
  }

  @Test("it stops after as many errors as it is told") func errors() throws {
    let one = #"{"method":"DELETE","path":"/Users/999999"}"#
    let answer = try bulk([one, one, one].joined(separator: ","), #","failOnErrors":2"#)
    #expect(answer.values("Operations", "status") == ["404", "404"])
  }

  @Test(
    "what is no bulk request is refused whole",
    arguments: [
      (#"{"method":"POST","path":"/Users","data":{"userName":"a"}}"#, 400), (#"{"method":"GET","path":"/Users"}"#, 400),
      (#"{"path":"/Users"}"#, 400),
    ]) func faults(_ operation: String, _ status: Int) throws
  {
    #expect(try bulk(operation).status == status)
  }

  @Test("more operations or bytes than are announced are refused") func limits() throws {
    let config = try client.get("/ServiceProviderConfig")
    #expect(config("bulk.maxOperations") == "1000" && config("bulk.maxPayloadSize") == "1048576")
    let one = #"{"method":"DELETE","path":"/Users/1"}"#
    #expect(try bulk(Array(repeating: one, count: 1001).joined(separator: ",")).status == 413)
    #expect(try bulk(String(repeating: " ", count: 1_048_576)).status == 413)
  }

  @Test("a server that is killed in the middle has made each user whole or not at all") func killed() throws {
    let operations = (0..<400).map {
      #"{"method":"POST","path":"/Users","bulkId":"b\#($0)","data":{"userName":"u\#($0)","externalId":"e\#($0)","name":{"givenName":"G\#($0)"}}}"#
    }.joined(separator: ",")
    let (server, secret) = (client.server, client.secret)
    try inParallel(2) { part in
      if part == 0 {
        _ = try? server.request("POST", "/scim/v2/Bulk", secret: secret, body: #"{"Operations":[\#(operations)]}"#)
      } else {
        let watcher = try server.client(.resp2)
        try watcher.ok("AUTH", secret)
        try eventually("fifty users") { try watcher.integer("USER.COUNT") >= 50 }
        server.kill()
      }
    }
    try client.server.start()
    let total = Int(try client.get("/Users?count=0")("totalResults") ?? "") ?? 0
    #expect(total >= 50)
    for index in 0..<total {
      let found = try client.find(#"externalId eq "e\#(index)""#)
      #expect(found("Resources.0.userName") == "u\(index)" && found("Resources.0.name.givenName") == "G\(index)")
    }
    // Sent again, it makes the rest.
    let again = try bulk(operations)
    #expect(again.values("Operations", "status").filter { $0 == "201" }.count == 400 - total)
    #expect(try client.get("/Users?count=0")("totalResults") == "400")
  }

  @Test("a number of errors is at least one", arguments: ["-1", "0", "1.5", #""two""#]) func errorCounts(count: String)
    throws
  {
    let answer = try bulk(#"{"method":"DELETE","path":"/Users/999999"}"#, #","failOnErrors":\#(count)"#)
    #expect(answer.status == 400 && answer("scimType") == "invalidValue")
  }

  @Test("a long chain, backwards, is carried out in order, and others are answered meanwhile") func chain() throws {
    let filler = "[" + Array(repeating: "0", count: 450).joined(separator: ",") + "]"
    let count = 900
    let operations = (0..<count).map { index in
      let next = index + 1 < count ? #","nickName":"bulkId:b\#(index + 1)""# : ""
      return
        #"{"method":"POST","path":"/Users","bulkId":"b\#(index)","data":{"userName":"u\#(index)","x":\#(filler)\#(next)}}"#
    }.joined(separator: ",")
    let (server, secret) = (client.server, client.secret)
    let made = Collected<Int>()
    let isDone = Collected<Bool>()
    let slowest = Collected<Duration>()
    try inParallel(2) { part in
      if part == 0 {
        defer { isDone.add(true) }
        let answer = try server.request(
          "POST", "/scim/v2/Bulk", secret: secret, body: #"{"Operations":[\#(operations)]}"#)
        made.add(answer.body.matches(of: /"status":"201"/).count)
      } else {
        while isDone.all.isEmpty {
          let start = ContinuousClock.now
          #expect(try server.get("/livez").status == 200)
          slowest.add(ContinuousClock.now - start)
        }
      }
    }
    #expect(made.all == [count] && slowest.all.count > 5)
    #expect(try #require(slowest.all.max()) < .seconds(3) * Patience.factor)
    let last = try client.find(#"userName eq "u\#(count - 1)""#)("Resources.0.id")
    #expect(try client.find(#"userName eq "u\#(count - 2)""#)("Resources.0.nickName") == last)
  }
}
