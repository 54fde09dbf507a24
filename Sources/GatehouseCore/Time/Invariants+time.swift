extension RecordedTime {
  static func check(_ state: borrowing PartitionState, _ checker: InvariantChecker) { checker.checkTime(state) }
}

extension InvariantChecker {
  /// The timers, and the entries with their history.
  fileprivate func checkTime(_ state: borrowing PartitionState) {
    let order = state.time.timerOrder
    expect(
      order.count == state.time.timers.count && zip(order, order.dropFirst()).allSatisfy { $0 < $1 }
        && order.allSatisfy { state.time.timers[$0.key]?.start == $0.start },
      "the timers of partition \(state.index) are out of order")
    for (key, timer) in state.time.timers {
      let serial = Int(key.user)
      guard state.people.users.contains(serial), state.people.users[serial].isUsed else {
        expect(false, "a timer of partition \(state.index) belongs to no user")
        continue
      }
      expect(isWorkspace(key.workspace), "a timer of \(shown(state, user: serial)) is in an unknown workspace")
      expect(
        state.people.users[serial].status != .deleted, "a timer of \(shown(state, user: serial)) runs, who is deleted")
      expect(
        state.people.isMember(serial, of: key.workspace) || !isWorkspace(key.workspace),
        "a timer of \(shown(state, user: serial)) runs in a workspace of which the user is no member")
      expect(timer.lsn <= state.lsn, "a timer of \(shown(state, user: serial)) is newer than its partition")
    }
    for serial in 1..<(state.time.entries.last + 1) where state.time.entries[serial].isUsed {
      checkEntry(state, serial)
    }
    checkOrders(state)
  }

  /// Every entry that is not deleted is in its order, and the orders are sorted.
  private func checkOrders(_ state: borrowing PartitionState) {
    var ordered = Set<UInt32>()
    state.time.orders.forEach { contact, orders in
      for order in orders {
        let keys = order.serials.map { state.time.sortKey(of: $0) }
        expect(
          zip(keys, keys.dropFirst()).allSatisfy { $0 < $1 },
          "the entries of contact \(contact) of partition \(state.index) are out of order")
        for serial in order.serials {
          let row = state.time.entries[Int(serial)]
          expect(
            (row.contact, row.user, row.workspace) == (contact, order.user, order.workspace) && !row.isDeleted
              && row.end - row.start <= order.longest && row.lsn <= order.lsn && ordered.insert(serial).inserted,
            "entry #\((state.id(Int(serial)) as EntryID).raw) is in the wrong order")
        }
      }
    }
    for serial in 1..<(state.time.entries.last + 1) {
      let row = state.time.entries[serial]
      expect(
        !row.isUsed || row.isDeleted || ordered.contains(UInt32(serial)),
        "entry #\((state.id(serial) as EntryID).raw) is missing in its order")
    }
  }

  private func checkEntry(_ state: borrowing PartitionState, _ serial: Int) {
    let row = state.time.entries[serial]
    let label = "entry #\((state.id(serial) as EntryID).raw)"
    expect(row.start <= row.end, "\(label) ends before it starts")
    expect(isWorkspace(row.workspace), "\(label) is in an unknown workspace")
    expect(row.lsn <= state.lsn, "\(label) is newer than its partition")
    // A deleted entry may have outlived its login, which was purged.
    let isOfLogin = state.people.users.contains(Int(row.user))
    expect(
      isOfLogin
        && (state.people.users[Int(row.user)].contact == row.contact
          || row.isDeleted && !state.people.users[Int(row.user)].isUsed),
      "\(label) belongs to a user of another contact")
    let history = state.time.history[UInt32(serial)] ?? []
    expect(
      history.map(\.version) == (0..<UInt32(history.count)).map { $0 + 1 } && row.version == UInt32(history.count) + 1,
      "\(label) has gaps in its history")
  }
}
