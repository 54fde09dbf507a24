import GatehouseTestSupport
import Testing

/// From the first contact to the last trace: found, edited with others, linked, merged, taken back, anonymised, purged.
@Suite("L, S, B: the life of a user", .blocking)
struct LifeOfUserTests {
  let server: TestServer
  let gate: Client

  init() throws {
    server = try TestServer()
    gate = try server.client()
    try gate.ok("PRODUCT.CREATE courses")
  }

  @Test("S3, P3, P4: while adding, contacts are found by the beginnings of their names, and made if they are not there")
  func typeAhead() throws {
    try gate.ok("CONTACT.CREATE NAME 'Žofie Nováková' EMAIL zofie@firm.test")
    let found = try gate.list("CONTACT.SEARCH zof nov")
    #expect(found.map { $0["name"] } == ["Žofie Nováková"])
    let contact = try #require(found.first?["contact"])
    let user = try gate.fields("USER.CREATE zofie@firm.test CONTACT #\(contact) NOINVITE")
    #expect(user["contact"] == contact)
    #expect(try gate.list("USER.SEARCH NOVAK").map { $0["username"] } == ["zofie@firm.test"])
    // A million are found as ten are: nobody is looked at one by one, also after a restart.
    server.kill()
    try server.start()
    #expect(try server.client().list("USER.SEARCH novak").count == 1)
  }

  @Test("L2: custom fields with a type, mandatory ones are asked for")
  func customFields() throws {
    try gate.ok("FIELD.DEFINE shirt choice MANDATORY CHOICES 3 S M L")
    try gate.refused("USER.CREATE ana NOINVITE", with: "REFUSED user.required-fields: missing shirt")
    try gate.ok("USER.CREATE ana FIELD shirt m NOINVITE")
    try gate.refused("USER.SET ana shirt XXL", with: "ERR shirt must be one of S, M, L")
    server.kill()
    try server.start()
    let again = try server.client()
    #expect(try again.pages("USER.LIST WHERE shirt = M FIELDS 2 username shirt").map { $0["shirt"] } == ["M"])
  }

  @Test("L3, L25: delegates, bookings and invoices in one list of what somebody is linked to")
  func activity() throws {
    try gate.ok("USER.CREATE ana NOINVITE")
    for (kind, ref) in [("delegate", "course-17"), ("booking", "b-1"), ("invoice", "2026-9")] {
      try gate.ok("LINK.ADD ana \(kind) \(ref) STATUS open")
    }
    server.kill()
    try server.start()
    let links = try server.client().pages("LINK.LIST ana")
    #expect(Set(links.map { $0["kind"] }) == ["delegate", "booking", "invoice"])
  }

  @Test("L13, B9: two who are one, tried first, merged, and taken back")
  func merging() throws {
    try gate.ok("USER.CREATE ana FIRST Ana NOINVITE")
    try gate.ok("USER.CREATE anna LAST Nova PRODUCT courses NOINVITE")
    try gate.ok("ENTRY.ADD anna START 2026-03-01T08:00:00Z END 2026-03-01T09:00:00Z NOTE hers")
    let before = try gate.integer("USER.COUNT")
    try gate.ok("USER.MERGE ana anna DRYRUN")
    #expect(try gate.integer("USER.COUNT") == before)
    try gate.ok("USER.MERGE ana anna")
    #expect(try gate.text("LOGIN.CHECK anna courses") == "ALLOW")
    #expect(try gate.pages("ENTRY.LIST ana").map { $0["note"] } == ["hers"])
    let record = try #require(try gate.pages("AUDIT.LIST USER ana").first?["lsn"])
    server.kill()
    try server.start()
    let again = try server.client()
    #expect(try again.fields("USER.GET anna")["username"] == "ana")
    try again.ok("UNDO \(record)")
    #expect(try again.fields("USER.GET anna")["username"] == "anna")
    #expect(try again.pages("ENTRY.LIST ana").isEmpty)
    #expect(try again.text("LOGIN.CHECK ana courses") == "DENY product-disabled")
  }

  @Test("L23, B9: many at once, by a filter, all or none, and taken back")
  func bulk() throws {
    for number in 1...40 { try gate.ok("USER.CREATE u\(number) DEPARTMENT d\(number % 4) NOINVITE") }
    let done = try gate.fields("USER.BULK SET department sales status inactive WHERE department = d1")
    #expect(done["users"] == "10" && done["changed"] == "10")
    #expect(try gate.integer("USER.COUNT WHERE department = sales WHERE status = inactive") == 10)
    let record = try #require(try gate.pages("AUDIT.LIST USER u1").first?["lsn"])
    try gate.ok("UNDO \(record)")
    #expect(try gate.integer("USER.COUNT WHERE department = d1 WHERE status = active") == 10)
  }

  @Test("L6, L12: what is left of somebody who is gone")
  func theEnd() throws {
    let user = try gate.fields("USER.CREATE eva FIRST Eva LAST Lind EMAIL eva@firm.test NOINVITE")
    let id = try #require(user["id"])
    try gate.ok("ENTRY.ADD eva START 2026-03-01T08:00:00Z END 2026-03-01T09:00:00Z")
    try gate.ok("WORKSPACE.SET main policy.delete.keep-tracked off")
    try gate.ok("USER.DELETE eva REASON left")
    try gate.refused("USER.PURGE eva", with: "REFUSED references: eva is referred to by 1 time entry")
    try gate.ok("USER.ANONYMISE #\(id)")
    #expect(try gate.list("CONTACT.SEARCH eva").isEmpty)
    #expect(try gate.pages("ENTRY.LIST #\(id)").map { $0["username"] } == ["anonymous-\(id)"])
    let trail = try gate.pages("AUDIT.LIST USER #\(id)").map { "\($0)" }.joined()
    #expect(!trail.contains("Lind") && !trail.contains("eva@firm.test"))
  }
}
