import Testing

@testable import GatehouseCore

extension CoreHarness {
  // MARK: Groups

  /// Runs lines like the commands of an `EXEC`: over all owners, as one record.
  func runTogether(_ lines: [String]) -> [Answer] {
    turn.directory = directory.state.view
    let group = CommandGroup(cells.map(\.held), directory, directory.state.view) { self.gate.counters }
    turn.use(group.counters)
    var answers: [Answer] = []
    for line in lines { answers.append(decide(line, in: group)) }
    turn.use(gate)
    turn.letGo()
    turn.directory = directory.state.view
    if group.parts.isEmpty {
      group.commit(nil, now: now, partitioning)
    } else {
      for part in group.parts {
        #expect(gate.move(by: part, lsn: lsn + 1) == nil, "a bound that held no longer does")
      }
      written.append(group.record(at: now))
      group.commit(lsn, now: now, partitioning)
    }
    return answers
  }

  /// Decides lines as a group that the log then refuses.
  func decideAndDrop(_ lines: [String]) {
    turn.directory = directory.state.view
    let group = CommandGroup(cells.map(\.held), directory, directory.state.view) { self.gate.counters }
    turn.use(group.counters)
    for line in lines { #expect(!decide(line, in: group).isError, "\(line)") }
    turn.use(gate)
    turn.letGo()
    turn.directory = directory.state.view
    #expect(group.parts.count == lines.count)
  }

  private func decide(_ line: String, in group: CommandGroup) -> Answer {
    OwnedArguments(Self.words(line)).withView { view in
      var commandIndex: Int?
      guard case .refused = turn.begin(view, on: connection, now: now, commandIndex: &commandIndex) else {
        switch turn.decide(in: group) {
        case .decided: break
        case .needs: preconditionFailure("\(line) needs more than all owners")
        case .needsWork: preconditionFailure("\(line) needs work, and is none of a group's commands")
        case .refused(let violation): turn.answer(violation, holders: [])
        }
        return Answer(turn.reply, showingSecrets: false)
      }
      return Answer(turn.reply)
    }
  }
}
