import GatehouseCore
import GatehouseWire
import NIOCore
import Synchronization

/// The connections that watch all commands (`MONITOR`).
extension Connection {
  /// Shows a request to all monitors, on every lane.
  func tellMonitors(_ request: Arguments) {
    let words = OwnedArguments(shownWords(request, wordLimit: 4096, countLimit: 1024))
    var line = ByteBuffer()
    words.withView {
      MonitorLine.encode(
        microseconds: lane.clock.microseconds, client: client.address, arguments: $0, into: &line)
    }
    let shown = line
    for lane in lane.services.lanes {
      lane.loop.execute {
        for connection in lane.connections.values where connection.isMonitor { connection.show(shown) }
      }
    }
  }

  func endMonitor() {
    guard isMonitor else { return }
    isMonitor = false
    lane.services.monitors.leave()
  }

  /// Sends a line to a monitor. It must not make others wait, so a monitor that reads too slowly is disconnected.
  func show(_ line: ByteBuffer) {
    lane.replies.bytes.append(line)
    settle()
    if waitingBytes >= serverFacts.clientOutputLimit.load(ordering: .relaxed) { disconnectOverLimit() }
  }
}
