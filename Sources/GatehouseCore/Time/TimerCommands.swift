extension CommandTable {
  static let timerCommands: [CommandSpec] = [
    CommandSpec(
      "TIMER.START", .timer, "Start a timer; a user has at most one running in a workspace",
      [
        .word("user"), .option("WORKSPACE", "workspace"), .option("PROJECT", "project"), .option("NOTE", "text"),
        .option("AT", "time", .time), .flag("SWITCH"),
      ],
      reply: "a map `user, username, workspace, project, note, start, started-by, started-as, stopped`; `stopped` is "
        + "the entry that `SWITCH` made of the previous timer, or null; `started-as` is the person as whom, where "
        + "`started-by` was impersonating, else null. `CONFLICT timer-running` when one runs and `SWITCH` is not given",
      effect: .write, rights: .timers, needs: .permission(.timerStop, over: .member(1), own: .timerOwn),
      route: .user(1), body: .decide(timerStart)),
    CommandSpec(
      "TIMER.STOP", .timer, "Stop a running timer and keep it as an entry",
      [.word("user"), .option("WORKSPACE", "workspace"), .option("AT", "time", .time)],
      reply: "the finished entry, a map `entry, user, username, workspace, project, note, start, end, started-by, "
        + "started-as, stopped-by, stopped-as, version, deleted`; `NOTFOUND timer of user in workspace` when none runs",
      effect: .write, rights: .timers, needs: .permission(.timerStop, over: .member(1), own: .timerOwn),
      route: .user(1), touches: .newEntry, body: .decide(timerStop)),
    CommandSpec(
      "TIMER.CURRENT", .timer, "The running timer of a user",
      [.word("user"), .option("WORKSPACE", "workspace")],
      reply: "null, or a map `user, username, workspace, project, note, start, started-by, started-as`",
      needs: .permission(.timeRead, over: .member(1), own: .timeRead), route: .user(1), body: .decide(timerCurrent)),
    CommandSpec(
      "TIMER.RUNNING", .timer, "The running timers of everybody, oldest first",
      [
        .option("WORKSPACE", "workspace"), .option("LONGER", "duration"), .option("CURSOR", "cursor"),
        .option("COUNT", "count", .integer),
      ],
      reply: "`[cursor, items]`, the items as `TIMER.CURRENT` answers",
      needs: .permission(.timeRead, over: .anything), route: .everywhere,
      body: .gather(collect: collectRunning, finish: finishRunning)),
  ]

  @Sendable private static func timerStart(_ turn: Turn) throws(Halt) {
    let user = try turn.user(1)
    let workspace = try turn.workspaceID()
    try turn.requireAccountTools(over: user, in: workspace)
    try turn.requireTimekeeper(user, in: workspace)
    let time = try turn.workTime("AT")
    var stopped: EntryView?
    if let running = user.cell.state.time.timers[TimerKey(user: user.serial, workspace: workspace)] {
      turn.read(running.lsn)
      guard turn.has("SWITCH") else {
        throw .refused(.conflict("timer-running; give SWITCH to end it and begin this one, or stop it with TIMER.STOP"))
      }
      stopped = try turn.stop(running, of: user, in: workspace, at: time ?? turn.end(of: running))
    }
    let timer = RunningTimer(
      start: time ?? turn.now, project: try turn.project() ?? "",
      note: try turn.option("NOTE") ?? "", startedBy: turn.author, as: turn.impersonatedUser, lsn: 0)
    turn.emit(
      TimerStarted(
        user: user.id, workspace: workspace, start: timer.start, project: timer.project, note: timer.note))
    turn.reply.map(9)
    let startedBy = try turn.name(of: timer.startedBy)
    turn.show(timer, of: user, in: workspace, into: &turn.reply)
    turn.reply.text("started-by")
    turn.reply.text(startedBy)
    try turn.showPerson("started-as", timer.startedAs, in: workspace)
    turn.reply.text("stopped")
    turn.reply.optional(stopped?.id.raw)
  }

  @Sendable private static func timerStop(_ turn: Turn) throws(Halt) {
    let user = try turn.user(1)
    let workspace = try turn.workspaceID()
    try turn.requireAccountTools(over: user, in: workspace)
    let timer = try turn.timer(of: user, in: workspace)
    guard let timer else {
      let place = turn.has("WORKSPACE") ? "" : "; WORKSPACE w names another workspace"
      throw .refused(
        .notFound("timer of \(user.username) in \(turn.directory.workspace(workspace).name)\(place)"))
    }
    let end = try turn.workTime("AT") ?? turn.end(of: timer)
    try turn.show(turn.stop(timer, of: user, in: workspace, at: end))
  }

  @Sendable private static func timerCurrent(_ turn: Turn) throws(Halt) {
    let user = try turn.user(1)
    let workspace = try turn.workspaceID()
    guard let timer = try turn.timer(of: user, in: workspace) else { return turn.reply.null() }
    let startedBy = try turn.name(of: timer.startedBy, in: workspace)
    turn.reply.map(8)
    turn.show(timer, of: user, in: workspace, into: &turn.reply)
    turn.reply.text("started-by")
    turn.reply.text(startedBy)
    try turn.showPerson("started-as", timer.startedAs, in: workspace)
  }

  // MARK: Everybody's

  /// The sort key of a timer in the list: its start, user and workspace.
  private struct RunningSortKey: Comparable {
    let start: UInt64
    let user: UInt64
    let workspace: UInt64

    init(_ start: Milliseconds, _ user: UserID, _ workspace: WorkspaceID) {
      self.start = UInt64(clamping: start)
      self.user = user.raw
      self.workspace = UInt64(workspace)
    }

    init(_ cursor: ListCursor) {
      start = cursor.numbers[0]
      user = cursor.numbers[1]
      workspace = cursor.numbers[2]
    }

    var cursor: ListCursor { ListCursor([start, user, workspace]) }

    /// Bytes that sort like the key.
    var key: ContiguousArray<UInt8> {
      var bytes = ContiguousArray<UInt8>()
      for number in [start, user, workspace] { withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) } }
      return bytes
    }

    static func < (a: Self, b: Self) -> Bool { (a.start, a.user, a.workspace) < (b.start, b.user, b.workspace) }
  }

  @Sendable private static func collectRunning(
    _ turn: Turn, _ cell: HeldPartition, _ gathered: inout Gathered
  ) throws(Halt) {
    turn.read(cell.state.lsn)
    let workspaces = try turn.readableWorkspaces()
    let cursor = try turn.cursor(of: 3)
    let after = (gathered.position ?? cursor).map { RunningSortKey($0) }
    let latest = turn.now - (try turn.duration("LONGER") ?? 0)
    let isLimited = turn.has("LONGER")
    // One more than asked for tells whether the list goes on.
    let wanted = try turn.listCount() + 1
    func place(_ timer: TimerPlace) -> RunningSortKey {
      RunningSortKey(timer.start, cell.state.id(Int(timer.key.user)), timer.key.workspace)
    }
    var found = gathered.found
    var next = after.map { after in cell.state.time.rank { place($0) <= after } } ?? 0
    let end = min(next + Limits.rowsOfSlice, cell.state.time.timerOrder.count)
    while next < end, found < wanted {
      let timer = cell.state.time.timerOrder[next]
      // All that follow have started later.
      if isLimited, timer.start > latest { return gathered.leave(at: nil, found: 0) }
      next += 1
      if !workspaces.contains(timer.key.workspace) { continue }
      guard let running = cell.state.time.timers[timer.key] else { continue }
      let user = UserReference(id: cell.state.id(Int(timer.key.user)), cell: cell, serial: Int(timer.key.user))
      // An administrator of a part does not see everybody in it.
      guard turn.allows(.timeRead, over: .workspace(timer.key.workspace), of: user) else { continue }
      found += 1
      var reply = Reply()
      turn.show(running, of: user, in: timer.key.workspace, into: &reply)
      gathered.items.append(
        Gathered.Item(
          key: place(timer).key, id: user.id.raw, reply: reply, author: running.startedBy,
          subject: running.startedAs, workspace: timer.key.workspace))
    }
    let isDone = found == wanted || next == cell.state.time.timerOrder.count
    gathered.leave(at: isDone ? nil : place(cell.state.time.timerOrder[next - 1]).cursor, found: found)
  }

  @Sendable private static func finishRunning(_ turn: Turn, _ gathered: inout Gathered) throws(Halt) {
    let count = try turn.listCount()
    gathered.items.sort { $0.key.lexicographicallyPrecedes($1.key) }
    let shown = Array(gathered.items.prefix(count))
    turn.reply.array(2)
    if gathered.items.count > count, let last = shown.last {
      let numbers = last.key.withUnsafeBytes { key in
        (0..<3).map { UInt64(bigEndian: key.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self)) }
      }
      turn.reply.text(ListCursor(numbers).text)
    } else {
      turn.reply.text(ListCursor.end)
    }
    turn.reply.array(shown.count)
    for item in shown {
      turn.reply.map(8)
      turn.reply.append(item.reply)
      turn.reply.text("started-by")
      turn.reply.optional(item.author.flatMap { turn.name(of: $0, in: item.workspace, &gathered) })
      turn.reply.text("started-as")
      turn.reply.optional(item.subject.flatMap { turn.name(of: .user($0), in: item.workspace, &gathered) })
    }
  }
}

extension Turn {
  /// The running timer of a user, if any.
  fileprivate func timer(of user: UserReference, in workspace: WorkspaceID) throws(Halt) -> RunningTimer? {
    let timer = user.cell.state.time.timers[TimerKey(user: user.serial, workspace: workspace)]
    read(timer?.lsn ?? user.cell.state.lsn)
    return timer
  }
}
