import Testing

@testable import GatehouseCore

/// Deciding and committing, like the server.
extension CoreHarness {
  /// Decides until nothing more is needed, then commits.
  func settle(_ first: () -> Outcome) {
    settle(first) { turn.decide(holding: $0, directory: $1) }
  }

  func settle(_ first: () -> Outcome, _ again: ([HeldPartition], DirectoryCell?) -> Outcome) {
    var outcome = first()
    decisions = 1
    while case .needs(let owners) = outcome {
      decisions += 1
      precondition(decisions < 200, "a decision that never holds enough")
      turn.directory = directory.state.view
      outcome = again(owners.partitions.map { cells[$0].held }, owners.directory ? directory : nil)
    }
    if case .needsWork = outcome { return }
    if case .refused(let violation) = outcome {
      horizon = turn.horizon
      return turn.answer(violation, holders: [])
    }
    if decidesTwice, !turn.reply.isEmpty { decideAgain(again) }
    commit()
    horizon = turn.horizon
  }

  /// A body is a pure function: it decides the same whatever else is held.
  func decideAgain(_ again: ([HeldPartition], DirectoryCell?) -> Outcome) {
    let before = (reply: Answer(turn.reply, showingSecrets: false), changes: turn.changes, horizon: turn.horizon)
    guard case .decided = again(cells.map(\.held), directory) else {
      preconditionFailure("\(words) asks for more than all")
    }
    #expect(Answer(turn.reply, showingSecrets: false) == before.reply, "\(words) answers another time otherwise")
    #expect(turn.horizon == before.horizon, "\(words) waits for something else another time")
    let kinds = before.changes.map { ChangeText($0).description }
    #expect(turn.changes.map { ChangeText($0).description } == kinds, "\(words) changes something else another time")
  }

  func gather() {
    if turn.needsPreparing {
      let home = turn.authorityPartition.map { [cells[$0].held] } ?? []
      settle {
        turn.prepare(holding: home)
      } _: { cells, _ in
        turn.prepare(holding: cells)
      }
      let preparation = turn.preparation
      if turn.reply.isError {
        horizon = turn.horizon
        return
      }
      turn.letGo()
      turn.adopt(preparation)
    } else {
      turn.adopt(turn.preparation)
    }
    var gathered = Gathered()
    slices = 0
    repeat {
      for cell in cells where !gathered.isComplete {
        repeat {
          slices += 1
          guard turn.collect(cell.held, into: &gathered) else {
            precondition(turn.reply.isError, "a gathering body asked for another owner")
            return
          }
        } while !gathered.isAtStart && !gathered.isComplete
      }
      turn.finish(&gathered)
    } while gathered.beginsAgain()
    while gathered.isUnfinished {
      for cell in cells { turn.lookUp(cell.held, for: &gathered) }
      turn.finish(&gathered)
    }
    horizon = turn.horizon
    guard !gathered.lapsed.isEmpty else { return }
    // The list is answered once the sessions that it found to have lost their right have ended.
    let (reply, before, home) = (turn.reply, horizon, partitioning.partition(of: gathered.lapsed[0]))
    turn.letGo()
    end(gathered.lapsed, home: home)
    horizon = max(before, turn.horizon)
    turn.reply = reply
  }

  /// Ends sessions like the server's upkeep.
  func end(_ sessions: [SessionID], home: Int) {
    changes = []
    turn.directory = directory.state.view
    turn.beginExpiry(now: now)
    settle {
      turn.decideExpiry(sessions, home: cells[home].held, holding: [])
    } _: { cells, _ in
      turn.decideExpiry(sessions, home: nil, holding: cells)
    }
    turn.letGo()
  }

  /// Ends users' rights that have ended.
  func endRights(of users: [UserID], in cell: PartitionCell) {
    changes = []
    turn.directory = directory.state.view
    turn.beginEnding(now: now)
    settle {
      turn.decideEnds(of: users, holding: [cell.held])
    } _: { cells, _ in
      turn.decideEnds(of: users, holding: cells)
    }
    turn.letGo()
  }

  // MARK: Committing

  // MARK: The log

  func commit() {
    if !turn.changes.isEmpty {
      changes = turn.changes
      let header = turn.recordHeader
      requireHeld()
      if let violation = gate.move(by: turn, lsn: lsn + 1) {
        changes = []
        turn.answer(violation, holders: violation.fullPool.map(holders(of:)) ?? [])
        return
      }
      written.append(Record(header: header, changes: turn.changes))
      turn.commit(lsn, header)
    }
    turn.noteInMemory()
  }

  /// Some holders of a seat of a pool.
  func holders(of pool: SeatKey) -> [String] {
    var names: [String] = []
    for cell in cells {
      var next: Int? = 1
      while let first = next {
        next = turn.addHolders(of: pool, in: cell.held, from: first, rows: 3, most: 5, to: &names)
      }
    }
    return names
  }

  /// The directory's state with the counters, as after a replay.
  var wholeDirectory: DirectoryState { directory.state.with(gate.counters) }

  /// A change of an owner that is not held is a bug.
  func requireHeld() {
    let held = Set(turn.others.map(\.index) + [turn.home?.index].compactMap { $0 })
    for change in changes {
      change.forEachOwner(partitioning) { partition in
        if !held.contains(partition) { print("\(words) changes partition \(partition) without holding it: \(change)") }
      } directory: {
        if turn.directoryCell == nil { print("\(words) changes the directory without holding it: \(change)") }
      }
    }
  }
}
