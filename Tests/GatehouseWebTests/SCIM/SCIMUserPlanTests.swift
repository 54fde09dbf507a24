import Testing

@testable import GatehouseWeb

/// By what users are found.
struct SCIMUserPlanTests {
  private typealias Condition = SCIMUserPlan.Condition

  private func plan(_ filter: String) throws -> SCIMUserPlan { SCIMUserPlan(try SCIMParser.filter(filter)) }

  @Test("an index answers for names, ids and addresses, also beside other conditions") func indexes() throws {
    #expect(try plan(#"userName eq "a""#) == .candidates([.username("a")]))
    #expect(try plan(#"title pr and externalId eq "a""#) == .candidates([.externalID("a")]))
    #expect(try plan(#"id eq "1" or (userName eq "a" and active eq true)"#) == .candidates([.id("1"), .username("a")]))
    #expect(try plan(#"emails[type eq "work" and value eq "a@b"]"#) == .candidates([.email("a@b")]))
    #expect(try plan(#"emails[type eq "work"].value eq "a@b""#) == .candidates([.email("a@b")]))
  }

  @Test("the server's conditions answer where they say the same") func conditions() throws {
    #expect(SCIMUserPlan(nil) == .conditions([]))
    #expect(
      try plan(#"name.familyName sw "L" and active eq true"#)
        == .conditions([Condition("last", "^==", "L"), Condition("status", "!=", "inactive")]))
    #expect(try plan(#"active eq "False""#) == .conditions([Condition("status", "=", "inactive")]))
  }

  @Test("points in time are compared by when they are") func times() throws {
    for text in [
      "2026-11-29T06:00:00Z", "2026-11-29T08:00:00+02:00", "2026-11-29T06:00:00.000", "2026-11-29t05:00:00-01:00",
    ] {
      #expect(
        try plan(#"meta.created gt "\#(text)""#) == .conditions([Condition("created", ">", "1795932000000")]), "\(text)"
      )
    }
    #expect(
      try plan(#"meta.lastModified le "2026-11-29T06:00:00Z""#)
        == .conditions([Condition("last-change", "<=", "1795932000000")]))
    // Long before anybody was made, as programs write it that have never looked.
    #expect(try plan(#"meta.lastModified gt "0001-01-01T00:00:00Z""#) == .scan([]))
    #expect(SCIMTime.time("2026-02-30T00:00:00Z") == nil && SCIMTime.time("1795932000000") == nil)
  }

  @Test("everything else is looked at, narrowed by what can be") func scans() throws {
    #expect(try plan("title pr") == .scan([]))
    #expect(try plan(#"not (userName eq "a")"#) == .scan([]))
    #expect(try plan(#"userName eq "a" or title pr"#) == .scan([]))
    #expect(try plan(#"title pr and name.givenName eq "A""#) == .scan([Condition("first", "==", "A")]))
  }
}
