import GatehouseTestSupport
import Testing

@testable import GatehouseCore

/// L6: a log without the keys of those who were anonymised leads to the same state as before.
@Suite struct ForgettingTests {
  let core = CoreHarness(partitions: 8)

  /// People with all kinds of data, some of whom are anonymised or purged at the end.
  private func live() {
    core.run("PRODUCT.CREATE crm")
    core.run("FIELD.DEFINE colour text")
    core.run("USER.CREATE eva.lind FIRST Eva LAST Lind EMAIL eva@acme.test INITIALS EVL REFERENCE R-77 PRODUCT crm")
    core.run("USER.CREATE otto.berg FIRST Otto LAST Berg EMAIL otto@acme.test PRODUCT crm")
    core.run("USER.SET otto.berg authority 1")
    core.run("USER.SET eva.lind colour vermilion")
    core.run("SESSION.CREATE eva.lind crm IP 203.0.113.77 AGENT netscape-navigator")
    core.run("TIMER.START eva.lind NOTE sweeping")
    for name in ["eva.berg", "eva.moon", "eva.dale"] {
      let before = name == "eva.berg" ? "eva.lind" : name == "eva.moon" ? "eva.berg" : "eva.moon"
      core.run("USER.RENAME \(before) \(name)")
    }
    core.run("USER.SET eva.dale department Pottery reference R-78")
    // Somebody else takes a name that was given up, and one that will be given.
    core.run("USER.CREATE eva.lind FIRST Other NOINVITE")
    core.run("USER.DELETE otto.berg REASON x")
    core.run("USER.CREATE otto.hill CONTACT #\(core.run("USER.GET otto.berg")["contact"]) NOINVITE")
    core.run("USER.CREATE gone FIRST Gone NOINVITE")
    core.run("USER.RENAME gone gone.away")
    core.run("USER.DELETE gone.away REASON x")
    core.run("USER.PURGE gone.away")
    core.run("USER.CREATE gone FIRST Newer NOINVITE")
    core.run("USER.CREATE one FIRST One EMAIL one@acme.test NOINVITE")
    core.run("USER.CREATE two FIRST Two EMAIL two@acme.test NOINVITE")
    core.run("USER.MERGE one two")
    // Names that two had in turn, of whom the second goes.
    core.run("USER.CREATE max FIRST Max NOINVITE")
    let turns = ["gus", "kai"].map { name in
      (0..<2).map { _ in
        let user = core.run("USER.CREATE \(name) FIRST Turn NOINVITE")["id"]
        core.run("USER.DELETE \(name) REASON x")
        return user
      }
    }
    core.run("USER.MERGE max #\(turns[0][0])")
    core.run("USER.PURGE gus")
    core.run("USER.ANONYMISE kai")
    // What others are told of them.
    core.run("WORKSPACE.SET main policy.manager.notices status")
    core.run("MANAGE.ADD eva.dale USER gone")
    core.run("USER.STATUS gone temporary IDEM k1")
    core.run("USER.SET eva.dale phone 555-0177 IDEM k2")
    for name in ["eva.dale", "otto.hill", "one"] {
      let answer = core.run("USER.ANONYMISE \(name)")
      #expect(!answer.isError, "\(answer.text ?? "")")
    }
    core.run("USER.SET gone department Weaving")
  }

  private var pending: Set<SealKey> { core.cells.reduce(into: []) { $0.formUnion($1.state.forgotten.pending) } }

  private func fresh() -> [PartitionCell] {
    (0..<core.partitioning.count).map { PartitionCell(PartitionState(index: $0, partitioning: core.partitioning)) }
  }

  private func seals(without keys: Set<SealKey>) -> HarnessSeals {
    let seals = HarnessSeals(without: keys)
    seals.bits = Int(core.partitioning.bits)
    return seals
  }

  /// Applies records to the partitions that do not have them yet.
  private func replay(_ records: Range<Int>, on cells: [PartitionCell], _ seals: HarnessSeals) {
    for index in records {
      let lsn = LSN(index + 1)
      let known = Set(cells.filter { $0.state.lsn >= lsn }.map(\.index))
      HarnessLog.record(core.log[index], seals).forEachPart { part in
        for change in part.changes {
          change.forEachOwner(core.partitioning) { partition in
            if !known.contains(partition) { cells[partition].state.apply(change, lsn: lsn, header: part.header) }
          } directory: {
          }
        }
      }
    }
  }

  /// Partitions of names that nobody knows any more were changed by records that do not say so now. Their states are the
  /// same; only the number of the record that changed them last is not.
  private func expectSame(_ cells: [PartitionCell], _ what: String) {
    for (cell, other) in zip(core.cells, cells) {
      let copy = PartitionCell(other.state.copy())
      copy.state.lsn = cell.state.lsn
      #expect(cell.encodedAsLogged == copy.encodedAsLogged, "partition \(cell.index) \(what)")
    }
  }

  @Test("each login and each contact of a whole person is forgotten, and the login that was purged")
  func whoIsForgotten() {
    live()
    // Eva; Otto with two logins; the merged ones; the second of kai; the purged logins, whose contacts stay.
    #expect(pending.count(where: { $0.kind == .contact }) == 5)
    #expect(pending.count(where: { $0.kind == .user }) == 8)
    core.expectReplicated()
  }

  @Test("a replay without the keys ends in the same state") func replay() {
    live()
    let cells = fresh()
    replay(0..<core.log.count, on: cells, seals(without: pending))
    expectSame(cells, "differs after a replay without keys")
  }

  @Test("a snapshot from any time before, read without the keys, leads to the same state") func snapshots() throws {
    live()
    let keys = pending
    let seals = seals(without: keys)
    var random = SeededRandom(seed: 7)
    for end in 0..<core.log.count {
      // The sections of a snapshot are of different times.
      let ends = core.cells.map { _ in min(core.log.count, end + Int.random(in: 0...6, using: &random)) }
      let cells = try ends.enumerated().map { index, end in
        let whole = fresh()
        replay(0..<end, on: whole, HarnessSeals())
        let cell = try PartitionCell.decode(whole[index].encoded, index: index, core.partitioning)
        // Where the partition had nothing, its section is still of that time.
        cell.state.lsn = LSN(end)
        return cell
      }
      ForgettingAgain.run(cells, asOf: ends.map { LSN($0) }, seals)
      replay(end..<core.log.count, on: cells, seals)
      expectSame(cells, "differs after a snapshot of record \(end)")
    }
  }

  @Test("restored as of before, a person without keys stays forgotten") func restoredBefore() {
    live()
    let first = core.records.firstIndex { !$0.changes(of: ContactAnonymised.self).isEmpty } ?? 0
    let cells = fresh()
    replay(0..<first, on: cells, seals(without: pending))
    let texts = cells.map { $0.encoded }
    for text in ["eva.dale", "Lind", "eva@acme.test", "Pottery", "vermilion", "R-78", "203.0.113.77", "netscape"] {
      #expect(!texts.contains { $0.contains(Array(text.utf8)) }, "\(text) is still known")
    }
  }

  @Test("nothing personal stands in the log, and all of it is gone without the keys") func searched() {
    live()
    for text in ["eva.dale", "Lind", "eva@acme.test", "Pottery", "vermilion", "R-78", "203.0.113.77", "netscape"] {
      #expect(!core.log.contains { $0.contains(Array(text.utf8)) }, "\(text) stands in the log")
    }
    let seals = seals(without: pending)
    let shown = core.log.map { bytes in
      HarnessLog.record(bytes, seals).parts.flatMap { $0.changes.map { "\(ChangeText($0))" } }.joined(separator: "\n")
    }
    for text in ["eva.dale", "eva@acme.test", "Pottery", "vermilion", "203.0.113.77", "netscape"] {
      #expect(!shown.contains { $0.contains(text) }, "\(text) can still be read")
    }
    // Notes of time are the history that stays (L6), and the trail says of whom it was.
    #expect(shown.contains { $0.contains("sweeping") })
    #expect(shown.contains { $0.contains("contact-set") && $0.contains("(anonymised)") })
  }

  @Test("destroyed keys are recorded once, and are pending no more") func settled() {
    live()
    for cell in core.cells {
      let keys = cell.state.forgotten.pending.sorted()
      if keys.isEmpty { continue }
      core.apply(KeysDestroyed(partition: cell.index, keys: keys, generation: 3))
    }
    #expect(pending.isEmpty)
    #expect(core.cells.contains { $0.state.forgotten.generation == 3 })
    core.expectReplicated()
  }
}
