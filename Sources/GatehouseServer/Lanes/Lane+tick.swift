import GatehouseStorage

/// What a lane does again and again.
///
///   1. wait until a socket, the timer or another thread has something; not at all while work waits in line
///   2. read each such socket once, and carry out its requests
///   3. do what other threads have brought
///   4. work in line, for a millisecond at most
///   5. commit what was written, or wake the log's writer for it, and send the replies of all connections
///
/// What a tick has written becomes one frame and one sync of the log. Its replies leave together: a client on the same
/// machine is woken once for all that are its own.
extension Lane {
  func tick() {
    line.beginTick()
    forgetClock()
    loop.poll(mayWait: line.count == 0) { news in
      switch news {
      case .socket(let socket, let events): socket.hasNews(events, room: input)
      case .timer:
        doUpkeep()
        forgetClock()
      }
    }
    loop.doBrought()
    if line.count > 0 { workInLine() }
    endTick()
  }

  private func endTick() {
    if needsCommit {
      needsCommit = false
      services.log.commit(after: commandsSinceCommit)
      commandsSinceCommit = 0
      // What has become durable meanwhile is answered with the rest.
      loop.doBrought()
    }
    sendReplies()
    if !closed.isEmpty { closed.removeAll(keepingCapacity: true) }
  }
}
