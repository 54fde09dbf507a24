import Testing

@testable import GatehouseCore

@Suite struct SnapshotCodingTests {
  /// Something of everything that a partition or the directory can hold.
  ///
  /// - Parameter isOfFirstVersion: whether it is only what records of the first version can say: they have no facts for
  ///   mails, and do not say of whom kept answers tell.
  private func populated(isOfFirstVersion: Bool = false) -> CoreHarness {
    let core = CoreHarness()
    let acme = core.seedWorkspace("acme", plan: "enterprise")
    let payroll = core.seedProduct("payroll")
    let crm = core.seedProduct("crm", workspace: acme)
    let office = core.seedProduct("office")
    core.apply(
      PoolSet(office, type: Product.everyAccess, old: nil, new: 5), PoolSet(office, type: "guest", old: nil, new: 2),
      WorkspaceSet(acme, key: "subdomain", old: "", new: "acme"),
      ServiceCreated(1, name: "web", [.read, .sessions], secret: Digest(1, 2, 3, 4)),
      ServiceCreated(2, name: "old", .all, secret: Digest(5, 6, 7, 8)), ServiceCertificateSet(2, old: "", new: "old"),
      ServiceDeleted(ServiceIdentity(id: 2, name: "old", created: 0, secret: .zero, rights: .all)),
      ServiceRotated(1, secret: Digest(9, 9, 9, 9), until: 5_000_000_000_000),
      ServiceCertificateSet(1, old: "", new: "web.test"),
      ServiceCreated(3, name: "crew", .read, secret: .zero), ServiceBoundToProducts(3, [crm, payroll]),
      ServiceLimited(1, old: .none, new: ServiceLimits(connections: 1, commands: 2, bytes: 3)))
    core.seedPolicy("session.ttl", "10h", of: acme)
    core.connection.service = 1
    let tom = core.seedUser("tom", products: [payroll], roles: [.superAdministrator, .individual])
    let ana = core.seedUser(
      "Ana", workspaces: [acme, mainWorkspace], email: "ana@acme.test", products: [payroll, crm])
    core.apply(WorkspaceSet(acme, key: "owner", old: "", new: "#\(tom.raw)"))
    core.apply(
      AccessSet(
        ana, old: nil, new: ProductAccess(product: office, isEnabled: true, isAdministrator: true, licence: 2)),
      UserSet(ana, .authority, old: "0", new: "1"), UserSet(ana, .initials, old: "", new: "AA"))
    let contact: ContactID = core.partitioning.id(serial: 1, partition: core.partitioning.partition(of: ana))
    core.apply(ContactSet(contact, .hired, old: "", new: "2020-02-29"))
    let gone = core.seedUser("Zoë", status: .active)
    core.apply(StatusSet(gone, old: .active, new: .deleted))
    core.seedUser("ZOË")
    core.apply(UserRenamed(core.seedUser("before"), old: "before", new: "after"))
    let login = core.logIn("tom", "payroll", "IDLE 1h")
    core.run("IMPERSONATE.START \(login) ana REASON look")
    core.run("IMPERSONATE.START \(login) zoë REASON look")
    for _ in 0..<5 { core.run("SESSION.CREATE ana payroll") }
    core.run("SESSION.REVOKE \(core.run("SESSION.LIST ana")[2]["id"])")
    core.run("SESSION.REVOKE \(core.run("SESSION.LIST ana")[0]["id"])")
    core.advance(1_800_000)
    core.run("SESSION.CHECK \(login)")
    if !isOfFirstVersion { core.seedPolicy("timer.notify-stopped", "on") }
    core.run("TIMER.START ana PROJECT x\(isOfFirstVersion ? "" : " IDEM k")")
    core.advance(60_000)
    core.run("TIMER.STOP ana")
    core.run("TIMER.START ana WORKSPACE acme NOTE y")
    core.run("ENTRY.CORRECT \(core.run("ENTRY.LIST ana")[1][0]["entry"]) NOTE z REASON because")
    return core
  }

  private func reads(_ core: CoreHarness) -> [String] {
    [
      "LOGIN.CHECK ana payroll", "LOGIN.CHECK after payroll", "LOGIN.CHECK before payroll", "LOGIN.CHECK zoë payroll",
      "LOGIN.EXPLAIN ana office", "SESSION.LIST ana", "SESSION.LIST tom", "IMPERSONATE.LIST", "TIMER.RUNNING",
      "ENTRY.LIST ana", "ENTRY.HISTORY \(core.run("ENTRY.LIST ana")[1][0]["entry"])",
      "TIMER.START ana PROJECT x IDEM k",
      "IMPERSONATE.CAN tom ana WORKSPACE acme",
    ].map { core.run($0).description }
  }

  @Test func aDecodedStateIsTheSame() throws {
    let core = populated()
    let before = reads(core)
    let counts = core.cells.map { [$0.state.people.liveUsers, $0.state.sessions.count, $0.state.people.names.count] }
    try core.restart()
    #expect(reads(core) == before)
    #expect(
      core.cells.map { [$0.state.people.liveUsers, $0.state.sessions.count, $0.state.people.names.count] } == counts)
    core.expectReplicated()
  }

  @Test func commandsDoTheSameAfterARestart() throws {
    let core = populated()
    let other = populated()
    try core.restart()
    for core in [core, other] {
      for line in [
        "SESSION.CREATE ana payroll", "SESSION.REVOKEALL tom", "SESSION.CREATE tom payroll",
        "TIMER.STOP ana WORKSPACE acme",
        "SESSION.CREATE ana payroll", "ENTRY.ADD ana START 1 END 2",
      ] {
        #expect(!core.run(line).isError)
      }
      core.advance(TimeText.day)
      core.expire()
    }
    #expect(core.cells.map(\.encoded) == other.cells.map(\.encoded))
    core.expectReplicated()
  }

  @Test func aNameTakenOverByAnotherUserStaysTheirs() throws {
    let core = populated()
    let taken = core.user("zoë")?.id
    #expect(taken != nil)
    try core.restart()
    #expect(core.user("zoë")?.id == taken)
    #expect(core.run("LOGIN.CHECK Zoë payroll").text == "DENY product-disabled")
  }

  /// Truncated or changed bytes end in an error, or in a state that can be decoded again.
  @Test func damagedSnapshotsAreRefusedOrConsistent() throws {
    let core = populated()
    for cell in core.cells {
      let bytes = cell.encoded
      for count in 0..<bytes.count {
        #expect(throws: CodingError.self) {
          try PartitionCell.decode(ContiguousArray(bytes[..<count]), index: cell.index, core.partitioning)
        }
      }
      for bit in 0..<bytes.count * 8 {
        var changed = bytes
        changed[bit / 8] ^= 1 << UInt8(bit % 8)
        changed.withUnsafeBytes { raw in
          var reader = ByteReader(raw)
          _ = try? PartitionCell(PartitionState(from: &reader, index: cell.index, partitioning: core.partitioning))
        }
      }
    }
    let bytes = core.directory.encoded
    for count in 0..<bytes.count {
      #expect(throws: CodingError.self) { try DirectoryCell.decode(ContiguousArray(bytes[..<count])) }
    }
  }

  /// A record as version 0.1.0 wrote it: changes without lengths and flags.
  private func firstVersion(of record: Record) -> ContiguousArray<UInt8> {
    var head = ByteWriter()
    Record.encode(record.first.header, [], into: &head)
    var changes = FirstVersionWriter()
    for change in record.first.changes.compactMap(\.known) { changes.put(change) }
    var bytes = head.bytes
    bytes[0] = 1
    bytes[bytes.count - 1] = UInt8(record.first.changes.count)
    return bytes + changes.bytes.bytes
  }

  /// Writes the fields that changes had in version 1.
  private struct FirstVersionWriter: FieldVisitor, ~Copyable {
    typealias Failure = Never

    var bytes = ByteWriter()
    private var isLater = false

    mutating func put(_ change: some Change) {
      var change = change
      isLater = false
      bytes.byte(type(of: change).code)
      change.visit(&self)
    }

    mutating func value<Form: FieldForm>(_ value: inout Form.Value, as form: Form.Type) {
      if !isLater { Form.write(value, to: &bytes) }
    }

    mutating func later() { isLater = true }
  }

  @Test func bothVersionsOfRecordsLeadToOneState() {
    let core = populated(isOfFirstVersion: true)
    let cells = core.cells.map { PartitionCell(PartitionState(index: $0.index, partitioning: core.partitioning)) }
    let directory = DirectoryCell(DirectoryState(created: CoreHarness.start))
    for (place, record) in core.records.enumerated() {
      let old = HarnessLog.record(firstVersion(of: record))
      #expect(firstVersion(of: old) == firstVersion(of: record))
      HarnessLog.apply(old, LSN(place + 1), to: cells, directory)
    }
    // Records of the first version do not say who opened a session.
    for cell in core.replica {
      for slot in 1..<(cell.state.sessions.rows.last + 1) where cell.state.sessions[slot].isUsed {
        cell.state.sessions[slot].opener = .unknown
      }
    }
    #expect(cells.map(\.encoded) == core.replica.map(\.encoded))
    #expect(directory.encoded == core.replicaDirectory.encoded)
  }

  /// A snapshot of a newer version, with an unknown section.
  @Test func unknownSectionsAreSkippedUnlessTheyAreCritical() throws {
    let core = populated()
    let bytes = core.cells[1].encoded
    func extended(critical: Bool) -> ContiguousArray<UInt8> {
      var more = ByteWriter()
      more.byte(200)
      more.byte(critical ? 1 : 0)
      more.fixed64(3)
      for byte in 1...3 { more.byte(UInt8(byte)) }
      var all = bytes + more.bytes
      // The number of sections comes after the version of the names.
      let head = FoldedName.version.utf8.count
      let count = UInt8(PartitionState.aggregates.flatMap { $0.sections }.count)
      let place = bytes.withUnsafeBytes { raw in
        (0..<raw.count).first { $0 > head && raw[$0] == count && raw[$0 + 1] == 1 && raw[$0 + 2] == 1 }
      }
      all[place!] += 1
      return all
    }
    let read = try PartitionCell.decode(extended(critical: false), index: 1, core.partitioning, skipping: true)
    #expect(read.encoded == bytes)
    let error = #expect(throws: CodingError.self) {
      try PartitionCell.decode(extended(critical: true), index: 1, core.partitioning)
    }
    #expect(error?.what == "a section of kind 200 from a newer version of Gatehouse")
  }

  /// A timer with a field that a later version added.
  private struct LaterTimer: StoredValue {
    var timer = RunningTimer.none
    var place = "nowhere"

    mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
      try timer.visit(&visitor)
      try visitor.later()
      try visitor.value(&place, as: TextForm.self)
    }
  }

  @Test func fieldsOfRowsAreSkippedOrDefaulted() throws {
    let timer = RunningTimer(start: 5, project: "x", note: "", startedBy: .service(1), lsn: 9)
    func written(_ value: some StoredValue) -> ContiguousArray<UInt8> {
      var writer = ByteWriter()
      writer.stored(value)
      writer.byte(77)
      return writer.bytes
    }
    try written(LaterTimer(timer: timer, place: "Lisbon")).withUnsafeBytes { raw in
      var reader = ByteReader(raw)
      let read = try reader.stored(RunningTimer.none, StoredLayout(form: .measured, seals: nil))
      #expect(read.start == 5 && read.project == "x" && read.lsn == 9)
      #expect(try reader.byte() == 77)
      #expect(reader.hasSkipped)
    }
    try written(timer).withUnsafeBytes { raw in
      var reader = ByteReader(raw)
      let read = try reader.stored(LaterTimer(), StoredLayout(form: .measured, seals: nil))
      #expect(read.timer.start == 5 && read.place == "nowhere")
      #expect(try reader.byte() == 77)
      #expect(!reader.hasSkipped)
    }
  }

  @Test("a secret with a field of a newer version is noticed, sealed or not", arguments: [true, false])
  func laterFieldsOfSecretsAreNoticed(isSealed: Bool) throws {
    let user = SealKey.user(UserID(raw: 5))
    let seals = HarnessSeals()
    var writer = ByteWriter()
    if isSealed { writer.seals = seals }
    // A last field that is absent takes no byte, so nothing can follow it.
    let timer = RunningTimer(start: 5, project: "x", note: "", startedBy: .service(1), as: UserID(raw: 7), lsn: 9)
    writer.sealed(LaterTimer(timer: timer, place: "Lisbon"), under: user)
    try writer.withBytes { (raw) throws(CodingError) in
      var reader = ByteReader(raw)
      _ = try reader.sealed(RunningTimer.none, under: user, StoredLayout(form: .measured, seals: seals))
      #expect(reader.isAtEnd && reader.hasSkipped)
    }
  }

  @Test func aPermissionOfANewerVersionIsNoticed() throws {
    for (names, isSkipping) in [(["user.read"], false), (["user.read", "moon.land"], true)] {
      var writer = ByteWriter()
      writer.list(names) { $0.text($1) }
      try writer.withBytes { (raw) throws(CodingError) in
        var reader = ByteReader(raw)
        let read = try PermissionsForm.read(from: &reader)
        #expect(read.list.map { "\($0.name)" } == ["user.read"])
        #expect(reader.isAtEnd && reader.hasSkipped == isSkipping)
      }
    }
  }

  @Test func anotherVersionOrPartitionIsRefused() {
    let core = populated()
    var bytes = core.cells[1].encoded
    #expect(throws: CodingError.self) { try PartitionCell.decode(bytes, index: 2, core.partitioning) }
    bytes[0] += 1
    #expect(throws: CodingError.self) { try PartitionCell.decode(bytes, index: 1, core.partitioning) }
  }

  @Test func reusedSlotsAreWatchedOnce() {
    let core = CoreHarness(partitions: 1)
    let payroll = core.seedProduct("payroll")
    core.seedUser("ana", products: [payroll])
    for _ in 0..<50 {
      let opened = core.run("SESSION.CREATE ana payroll TTL 60s")
      core.advance(1000)
      core.run("SESSION.REVOKE \(opened["id"])")
    }
    core.run("SESSION.CREATE ana payroll TTL 8h")
    core.advance(3_600_000)
    #expect(core.expire() == 0)
    #expect(core.cells[0].state.sessions.watchedDeadlines == 1)
  }

  @Test("a queued mail of a snapshot from before it said whom else it tells of is read") func formerMails() throws {
    var queued = QueuedMail(ChangeSamples.mail)
    (queued.attempts, queued.due, queued.isLeased, queued.error) = (3, 1_772_355_700_000, true, "no route")
    var writer = ByteWriter()
    var copy = queued
    copy.visit(&writer)
    let former = writer.bytes.dropLast(2)
    let read = try former.withUnsafeBytes { raw in
      var decoder = FieldDecoder(ByteReader(raw), .bounded)
      var mail = QueuedMail.none
      try mail.visit(&decoder)
      return mail
    }
    #expect(read == queued)
  }
}
