import GatehouseTestSupport
import Testing

/// Lists: filters, order, pages by index and by cursor.
@Suite struct SCIMListTests {
  let client: SCIMClient

  init() throws {
    client = try SCIMClient()
    let rows = (0..<60).map { "u\($0) L\($0 % 7)" }.joined(separator: " ")
    try client.admin.ok("USER.CREATEMANY FIELDS 2 username last WORKSPACE acme NOINVITE ROWS 120 \(rows)")
    try client.admin.ok("USER.CREATE other WORKSPACE beta LAST L1 NOINVITE")
  }

  private func ids(_ answer: SCIMClient.Answer) -> [String] { answer.values("Resources", "id") }

  @Test("pages by index go on where the one before ended, in whatever order they are asked for") func indexPages()
    throws
  {
    let all = ids(try client.get("/Users?count=1000"))
    #expect(all.count == 60 && Set(all).count == 60)
    for start in [41, 1, 21, 58, 11] {
      let page = try client.get("/Users?startIndex=\(start)&count=10")
      #expect(ids(page) == Array(all[(start - 1)..<min(start + 9, 60)]), "from \(start)")
      #expect(page("totalResults") == "60" && page("startIndex") == String(start))
    }
    #expect(ids(try client.get("/Users?startIndex=61&count=10")).isEmpty)
    #expect(ids(try client.get("/Users?startIndex=-5&count=2")) == Array(all[..<2]))
    let none = try client.get("/Users?count=0")
    #expect(ids(none).isEmpty && none("totalResults") == "60" && none("itemsPerPage") == "0")
    #expect(try client.get("/Users?count=many")("scimType") == "invalidCount")
  }

  @Test("pages by index keep their place where somebody before them is gone") func indexPagesOverDeletions() throws {
    let first = ids(try client.get("/Users?startIndex=1&count=20"))
    let second = ids(try client.get("/Users?startIndex=21&count=20"))
    try client.admin.ok("USER.DELETE", "#\(first[3])", "REASON", "x")
    #expect(ids(try client.get("/Users?startIndex=21&count=20")) == second)
  }

  @Test("cursors of RFC 9865", arguments: ["", "&sortBy=userName&sortOrder=descending", "&filter=not%20(title%20pr)"])
  func cursors(_ more: String) throws {
    var all: [String] = []
    var cursor: String? = ""
    while let text = cursor {
      let page = try client.get("/Users?cursor=\(text)&count=25\(more)")
      #expect(page.status == 200 && page("startIndex") == nil && page("totalResults") == "60")
      all += ids(page)
      cursor = page("nextCursor")
      #expect(all.count <= 60)
      if all.count > 60 { break }
    }
    #expect(all == ids(try client.get("/Users?count=1000\(more)")))
    #expect(all.count == 60)
  }

  @Test("a cursor of another list is none") func strangeCursors() throws {
    let next = try #require(try client.get("/Users?cursor=&count=5")("nextCursor"))
    for text in ["x", "\(next)9999999999", "x.\(next)", "-1"] {
      #expect(try client.get("/Users?cursor=\(text)&count=5").status == 400, "\(text)")
    }
    let other = try client.get("/Users?cursor=\(next)&count=5&sortBy=userName")
    #expect(other.status == 400 && other("scimType") == "invalidCursor")
  }

  @Test("filters find whom they mean, and nobody of another workspace") func filters() throws {
    for (filter, count) in [
      (#"userName eq "U7""#, 1), (#"userName eq "other""#, 0), (#"name.familyName eq "l1""#, 9),
      (#"name.familyName eq "L1" and userName sw "u1""#, 2), (#"userName co "5" or userName co "6""#, 20),
      (#"not (name.familyName eq "L1")"#, 51), (#"userName ew "9""#, 6), (#"active eq true and title pr"#, 0),
      (#"meta.created gt "2020-01-01T00:00:00Z" and name.familyName ge "L5""#, 16), ("active eq false", 0),
      (#"userName eq "u1" or externalId eq "x" or id eq "999999""#, 1),
      (#"urn:ietf:params:scim:schemas:core:2.0:User:userName eq "u1""#, 1),
      (#"emails[type eq "work" and value eq "a@b.test"]"#, 0), (#"groups.value eq "x""#, 0), (#"userName ne "u1""#, 59),
    ] {
      let answer = try client.find(filter, "&count=1000")
      #expect(answer.status == 200 && answer("totalResults") == String(count), "\(filter)")
      #expect(ids(answer).count == count)
    }
  }

  @Test("filters that cannot be answered say so") func faults() throws {
    for (filter, kind) in [
      ("userName", "invalidFilter"), ("userName eq", "invalidFilter"),
      (#"meta.lastModified gt "2020""#, "invalidFilter"),
    ] {
      let answer = try client.find(filter)
      #expect(answer.status == 400 && answer("scimType") == kind)
    }
  }

  @Test("order by name, either way") func order() throws {
    let up = try client.get("/Users?sortBy=name.familyName&count=1000").values("Resources", "userName")
    let down = try client.get("/Users?sortBy=name.familyName&sortOrder=descending&count=1000").values(
      "Resources", "userName")
    #expect(up == down.reversed())
    let page = try client.get("/Users?sortBy=userName&startIndex=31&count=5").values("Resources", "userName")
    #expect(page == Array((0..<60).map { "u\($0)" }.sorted()[30..<35]))
    #expect(try client.get("/Users?sortBy=nothing").status == 400)
  }

  @Test("a search by POST is the same") func search() throws {
    let body =
      #"{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":"userName sw \"u1\"","count":3,"startIndex":2,"attributes":["userName"]}"#
    let answer = try client.send("POST", "/Users/.search", body)
    #expect(answer("totalResults") == "11" && ids(answer).count == 3)
    #expect(ids(answer) == Array(ids(try client.find(#"userName sw "u1""#, "&count=1000"))[1..<4]))
    #expect(answer("Resources.0.userName") != nil && answer("Resources.0.meta.location") == nil)
    let group = try client.send("POST", "/Groups", #"{"displayName":"G"}"#)
    #expect(group.status == 201)
    let everything = try client.send("POST", "/.search", #"{"startIndex":60,"count":5}"#)
    #expect(everything("totalResults") == "61")
    #expect(
      (everything("Resources.0.meta.resourceType"), everything("Resources.1.meta.resourceType")) == ("User", "Group"))
  }
}
