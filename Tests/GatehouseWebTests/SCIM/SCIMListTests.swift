import GatehouseTestSupport
import Testing

/// Lists: filters, order, pages by index and by cursor.
@Suite(.blocking) struct SCIMListTests {
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
      (#"meta.lastModified gt "2020""#, "invalidFilter"), (#"not (meta.created lt "soon")"#, "invalidFilter"),
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
    let sorted = (0..<60).map { "u\($0)" }.sorted()
    #expect(page == Array(sorted[30..<35]))
    // RFC 7644, section 3.4.2.4: less than 1 is 1. Behind the last there is nobody, however far.
    for start in ["0", "-5", "-9223372036854775808"] {
      let first = try client.get("/Users?sortBy=userName&startIndex=\(start)&count=5").values("Resources", "userName")
      #expect(first == Array(sorted.prefix(5)))
    }
    let beyond = try client.get("/Users?sortBy=userName&startIndex=9223372036854775807&count=5")
    #expect(beyond.status == 200 && beyond.values("Resources", "userName").isEmpty)
    #expect(try client.get("/Users?sortBy=userName&startIndex=9223372036854775808").status == 400)
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

  @Test("a list shows what was just written, whatever was asked before") func afterWriting() throws {
    let filters = [
      #"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber eq "E77""#,
      #"name.familyName eq "Just""#, #"title eq "New""#, #"emails.value eq "second@x.test""#, #"displayName sw "E""#,
    ]
    for filter in filters { #expect(try client.find(filter)("totalResults") == "0", "\(filter)") }
    let made = try client.send(
      "POST", "/Users",
      #"""
      {"userName":"e77","title":"New","displayName":"E","name":{"familyName":"Just"},
      "emails":[{"value":"first@x.test","type":"work","primary":true},{"value":"second@x.test","type":"home"}],
      "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"E77"}}
      """#)
    let id = try #require(made("id"))
    for filter in filters { #expect(ids(try client.find(filter)) == [id], "\(filter)") }
    // A page behind what was counted before is counted anew.
    let last = #"name.familyName eq "L1""#
    #expect(try client.find(last)("totalResults") == "9")
    for number in 0..<3 { _ = try client.made("late\(number)", #","name":{"familyName":"L1"}"#) }
    let page = try client.find(last, "&startIndex=12&count=5")
    #expect(page("totalResults") == "12" && ids(page).count == 1)
    let scan = #"name.familyName ew "1""#
    #expect(try client.find(scan)("totalResults") == "12")
    _ = try client.made("later", #","name":{"familyName":"L1"}"#)
    #expect(ids(try client.find(scan, "&startIndex=13&count=5")).count == 1)
  }

  @Test("every address is found, in any case, by eq and by type") func addresses() throws {
    let id = try client.made(
      "ada",
      #","emails":[{"value":"a@x.test","type":"home","primary":true},{"value":"b@x.test","type":"work"}]"#)
    for filter in [
      #"emails.value eq "a@x.test""#, #"emails.value eq "B@x.test""#, #"emails eq "b@x.test""#,
      #"emails[type eq "work"].value eq "b@x.test""#, #"emails[type eq "home" and value eq "A@x.test"]"#,
    ] { #expect(ids(try client.find(filter)) == [id], "\(filter)") }
    #expect(ids(try client.find(#"emails[type eq "home" and value eq "b@x.test"]"#)).isEmpty)
    #expect(
      try client.send(
        "POST", "/Users",
        #"{"userName":"two","emails":[{"value":"c@x.test","primary":true},{"value":"d@x.test","primary":true}]}"#
      ).status == 400, "two primaries (RFC 7643, 2.4)")
    let primary = #"{"op":"replace","path":"emails[type eq \"work\"].primary","value":true}"#
    let changed = try client.patch("/Users/\(id)", primary)
    #expect(changed.values("emails", "primary") == ["false", "true"])
  }

  @Test("points in time are compared by when they are; lastModified moves with changes") func times() throws {
    let all = Int(try client.get("/Users?count=0")("totalResults") ?? "") ?? 0
    let created = try #require(try client.get("/Users?count=1")("Resources.0.meta.created"))
    #expect(created == (try client.get("/Users?count=1"))("Resources.0.meta.lastModified"))
    for (filter, count) in [
      (#"meta.created ge "\#(created)""#, all), (#"meta.created gt "2020-01-01T12:00:00+14:00""#, all),
      (#"meta.created lt "2020-01-01T00:00:00Z""#, 0), (#"not (meta.created lt "2090-01-01T00:00:00-12:00")"#, 0),
      (#"meta.lastModified ge "0001-01-01T00:00:00Z""#, all), (#"meta.created eq "\#(created.dropLast())+00:00""#, all),
    ] { #expect(try client.find(filter, "&count=1")("totalResults") == String(count), "\(filter)") }
    let id = try #require(ids(try client.get("/Users?count=1")).first)
    let changed = try client.patch("/Users/\(id)", #"{"op":"add","path":"title","value":"Boss"}"#)
    let modified = try #require(changed("meta.lastModified"))
    #expect(modified > created && changed("meta.created") == created)
    #expect(ids(try client.find(#"meta.lastModified ge "\#(modified)""#)) == [id])
    #expect(try client.get("/Users?sortBy=meta.lastModified&sortOrder=descending&count=1")("Resources.0.id") == id)
    // What another workspace does with somebody is not told.
    try client.admin.ok("WORKSPACE.MEMBER beta #\(id)")
    #expect(try client.get("/Users/\(id)")("meta.lastModified") == modified, "W4")
  }
}
