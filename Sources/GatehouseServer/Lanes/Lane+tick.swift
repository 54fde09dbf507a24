import GatehouseStorage

/// The event loop of a lane. Each tick:
///
///   1. waits until a socket, the timer or another thread has something to do; does not wait while work is left in line
///   2. reads each ready socket once, and carries out its requests
///   3. runs what other threads have submitted
///   4. works through the line of long work, for at most a millisecond, and goes on with its upkeep for a twentieth of that
///   5. commits what was written (or wakes the log writer for it), and sends the replies of all connections
///
/// Group commit: everything that a tick writes becomes one frame and one sync of the log. Its replies leave together,
/// so that a client process with many connections is woken once for all of them.
extension Lane {
  func tick() {
    line.beginTick()
    forgetClock()
    loop.poll(mayWait: line.count == 0 && upkeep == nil) { event in
      switch event {
      case .socket(let socket, let events): socket.handle(events, room: input)
      case .timer: beginUpkeep()
      }
    }
    loop.runSubmitted()
    if line.count > 0 { workInLine() }
    continueUpkeep()
    endTick()
  }

  private func endTick() {
    if needsCommit {
      needsCommit = false
      services.log.commit(after: commandsSinceCommit)
      commandsSinceCommit = 0
      // Answer what has become durable meanwhile together with the rest.
      loop.runSubmitted()
    }
    sendReplies()
    if !closed.isEmpty { closed.removeAll(keepingCapacity: true) }
  }
}
