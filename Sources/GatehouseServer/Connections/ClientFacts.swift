import GatehouseCore
import GatehouseWire

/// What is known of a client, as `CLIENT LIST` shows it.
struct ClientFacts: Sendable {
  let id: UInt64
  let address: String
  let localAddress: String
  let isLoopback: Bool
  /// Milliseconds since 1970.
  let connected: Milliseconds
  var lastCommand: Milliseconds
  var name = ""
  var libraryName = ""
  var libraryVersion = ""
  /// The last command's place in the table.
  var lastPlace = -1
  var service = ""
  var version = ProtocolVersion.resp2
  var commands: UInt64 = 0

  init(id: UInt64, address: String, localAddress: String, isLoopback: Bool, connected: Milliseconds) {
    self.id = id
    self.address = address
    self.localAddress = localAddress
    self.isLoopback = isLoopback
    self.connected = connected
    lastCommand = connected
  }

  /// One line of `CLIENT LIST`.
  func line(at now: Milliseconds, pendingBytes: Int, isMonitor: Bool) -> String {
    let fields: [(String, String)] = [
      ("id", "\(id)"), ("addr", address), ("laddr", localAddress), ("name", name),
      ("age", "\((now - connected) / 1000)"), ("idle", "\((now - lastCommand) / 1000)"),
      ("flags", isMonitor ? "O" : "N"), ("db", "0"), ("sub", "0"), ("psub", "0"), ("multi", "-1"),
      ("omem", "\(pendingBytes)"), ("cmd", lastPlace < 0 ? "NULL" : CommandTable.all[lastPlace].name.lowercased()),
      ("user", service.isEmpty ? "default" : service), ("resp", "\(version.rawValue)"), ("lib-name", libraryName),
      ("lib-ver", libraryVersion), ("tot-cmds", "\(commands)"),
    ]
    return fields.map { "\($0.0)=\($0.1)" }.joined(separator: " ")
  }
}
