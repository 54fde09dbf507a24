extension InvariantChecker {
  /// Timers, entries with their history, and mails.
  func checkTime(_ state: borrowing PartitionState) {
    for (key, timer) in state.timers {
      let serial = Int(key.user)
      guard state.users.contains(serial), state.users[serial].isUsed else {
        expect(false, "a timer of partition \(state.index) runs for nobody")
        continue
      }
      expect(isWorkspace(key.workspace), "a timer of \(shown(state, user: serial)) runs in no workspace")
      expect(state.users[serial].status != .deleted, "a timer of \(shown(state, user: serial)) runs, who is deleted")
      expect(
        state.isMember(serial, of: key.workspace) || !isWorkspace(key.workspace),
        "a timer of \(shown(state, user: serial)) runs in a workspace of others")
      expect(timer.lsn <= state.lsn, "a timer of \(shown(state, user: serial)) is newer than its partition")
    }
    var linked = Set<Int>()
    for contact in 1..<(state.contacts.last + 1) { followEntries(state, contact, &linked) }
    for serial in 1..<(state.entries.last + 1) where state.entries[serial].isUsed {
      expect(linked.contains(serial), "entry #\((state.id(serial) as EntryID).raw) hangs on no contact")
      checkEntry(state, serial)
    }
    for (id, mail) in state.mails {
      expect(
        id == mail.id && state.partitioning.partition(of: id) == state.index
          && state.partitioning.serial(of: id) <= state.lastMail, "mail #\(id.raw) is out of place")
      expect(user(mail.user) != nil, "mail #\(id.raw) is about nobody")
    }
  }

  private func followEntries(_ state: borrowing PartitionState, _ contact: Int, _ linked: inout Set<Int>) {
    var entry = Int(state.contacts[contact].entries)
    while entry != 0, state.entries.contains(entry), linked.insert(entry).inserted {
      expect(
        state.entries[entry].contact == UInt32(contact),
        "entry #\((state.id(entry) as EntryID).raw) hangs on another contact")
      entry = Int(state.entries[entry].previous)
    }
    expect(entry == 0, "the entries of contact \(contact) of partition \(state.index) do not end")
  }

  private func checkEntry(_ state: borrowing PartitionState, _ serial: Int) {
    let row = state.entries[serial]
    let label = "entry #\((state.id(serial) as EntryID).raw)"
    expect(row.start <= row.end, "\(label) ends before it starts")
    expect(isWorkspace(row.workspace), "\(label) is of no workspace")
    expect(row.lsn <= state.lsn, "\(label) is newer than its partition")
    expect(
      state.users.contains(Int(row.user)) && state.users[Int(row.user)].contact == row.contact,
      "\(label) is of a user of another contact")
    let history = state.history[UInt32(serial)] ?? []
    expect(
      history.map(\.version) == (0..<UInt32(history.count)).map { $0 + 1 } && row.version == UInt32(history.count) + 1,
      "\(label) has gaps in its history")
  }
}
