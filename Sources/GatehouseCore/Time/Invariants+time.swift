extension RecordedTime {
  static func check(_ state: borrowing PartitionState, _ checker: InvariantChecker) { checker.checkTime(state) }
}

extension InvariantChecker {
  /// Timers, and entries with their history.
  fileprivate func checkTime(_ state: borrowing PartitionState) {
    for (key, timer) in state.time.timers {
      let serial = Int(key.user)
      guard state.people.users.contains(serial), state.people.users[serial].isUsed else {
        expect(false, "a timer of partition \(state.index) runs for nobody")
        continue
      }
      expect(isWorkspace(key.workspace), "a timer of \(shown(state, user: serial)) runs in no workspace")
      expect(
        state.people.users[serial].status != .deleted, "a timer of \(shown(state, user: serial)) runs, who is deleted")
      expect(
        state.people.isMember(serial, of: key.workspace) || !isWorkspace(key.workspace),
        "a timer of \(shown(state, user: serial)) runs in a workspace of others")
      expect(timer.lsn <= state.lsn, "a timer of \(shown(state, user: serial)) is newer than its partition")
    }
    var linked = Set<Int>()
    for contact in 1..<(state.people.contacts.last + 1) { followEntries(state, contact, &linked) }
    for serial in 1..<(state.time.entries.last + 1) where state.time.entries[serial].isUsed {
      expect(linked.contains(serial), "entry #\((state.id(serial) as EntryID).raw) hangs on no contact")
      checkEntry(state, serial)
    }
  }

  private func followEntries(_ state: borrowing PartitionState, _ contact: Int, _ linked: inout Set<Int>) {
    var entry = Int(state.people.contacts[contact].entries)
    while entry != 0, state.time.entries.contains(entry), linked.insert(entry).inserted {
      expect(
        state.time.entries[entry].contact == UInt32(contact),
        "entry #\((state.id(entry) as EntryID).raw) hangs on another contact")
      entry = Int(state.time.entries[entry].previous)
    }
    expect(entry == 0, "the entries of contact \(contact) of partition \(state.index) do not end")
  }

  private func checkEntry(_ state: borrowing PartitionState, _ serial: Int) {
    let row = state.time.entries[serial]
    let label = "entry #\((state.id(serial) as EntryID).raw)"
    expect(row.start <= row.end, "\(label) ends before it starts")
    expect(isWorkspace(row.workspace), "\(label) is of no workspace")
    expect(row.lsn <= state.lsn, "\(label) is newer than its partition")
    expect(
      state.people.users.contains(Int(row.user)) && state.people.users[Int(row.user)].contact == row.contact,
      "\(label) is of a user of another contact")
    let history = state.time.history[UInt32(serial)] ?? []
    expect(
      history.map(\.version) == (0..<UInt32(history.count)).map { $0 + 1 } && row.version == UInt32(history.count) + 1,
      "\(label) has gaps in its history")
  }
}
