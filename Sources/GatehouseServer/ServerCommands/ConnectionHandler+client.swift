import GatehouseCore
import NIOCore

/// `CLIENT …`.
extension ConnectionHandler {
  func clientCommand(_ request: Arguments) {
    let subcommand = request.string(1).lowercased()
    switch (subcommand, request.count) {
    case ("id", 2): answer { $0.integer(self.client.id) }
    case ("getname", 2): answer { self.client.name.isEmpty ? $0.null() : $0.text(self.client.name) }
    case ("setname", 3): setName(request.string(2))
    case ("setinfo", 4): setInfo(request.string(2).lowercased(), request.string(3))
    case ("info", 2):
      let line = client.line(at: lane.now, pendingBytes: queue.pendingBytes, isMonitor: isMonitor)
      answer { $0.verbatim(line + "\n") }
    case ("list", _): list(request)
    case ("kill", 3...): kill(request)
    case ("no-evict", 3), ("no-touch", 3):
      guard ["on", "off"].contains(request.string(2).lowercased()) else { return refuse(.syntax("syntax error")) }
      answer { $0.ok() }
    case ("help", _):
      answer {
        let lines: [String] = [
          "CLIENT ID | GETNAME | SETNAME name | SETINFO LIB-NAME|LIB-VER text | INFO",
          "CLIENT LIST [ID id …]", "CLIENT KILL address | ID id | ADDR address | LADDR address | SKIPME yes|no",
          "CLIENT NO-EVICT ON|OFF",
        ]
        $0.array(lines.count)
        for line in lines { $0.simple(line) }
      }
    case ("id", _), ("getname", _), ("setname", _), ("setinfo", _), ("info", _), ("kill", _), ("no-evict", _),
      ("no-touch", _):
      wrongArity(request)
    default: unknownSubcommand(request)
    }
  }

  private func setName(_ name: String) {
    guard Self.isClientName(name) else {
      return refuse(.syntax("Client names cannot contain spaces, newlines or special characters."))
    }
    client.name = name
    answer { $0.ok() }
  }

  private func setInfo(_ attribute: String, _ value: String) {
    guard Self.isClientName(value) else {
      return refuse(.syntax("\(attribute) cannot contain spaces, newlines or special characters."))
    }
    switch attribute {
    case "lib-name": client.libraryName = value
    case "lib-ver": client.libraryVersion = value
    default: return refuse(.syntax("Unrecognized option '\(attribute)'"))
    }
    answer { $0.ok() }
  }

  private func list(_ request: Arguments) {
    var wanted: Set<UInt64>?
    if request.count > 2 {
      switch request.string(2).lowercased() {
      case "id" where request.count > 3:
        let ids = (3..<request.count).compactMap { UInt64(request.string($0)) }
        guard ids.count == request.count - 3 else { return refuse(.syntax("Invalid client ID")) }
        wanted = Set(ids)
      case "type" where request.count == 4:
        guard ["normal", "master", "replica", "slave", "pubsub"].contains(request.string(3).lowercased()) else {
          return refuse(.syntax("Unknown client type '\(request.string(3).prefix(64))'"))
        }
        if request.string(3).lowercased() != "normal" { wanted = [] }
      default: return refuse(.syntax("syntax error"))
      }
    }
    let filter = wanted
    later { context in
      var lines: [(UInt64, String)] = []
      for lane in context.lanes {
        let found = try? await lane.loop.submit {
          lane.connections.values.filter { filter?.contains($0.client.id) ?? true }.map {
            (
              $0.client.id,
              $0.client.line(
                at: Clock.milliseconds(), pendingBytes: $0.queue.pendingBytes, isMonitor: $0.isMonitor)
            )
          }
        }.get()
        lines += found ?? []
      }
      var reply = Reply()
      reply.verbatim(lines.sorted { $0.0 < $1.0 }.map { $0.1 + "\n" }.joined())
      return (reply, 0)
    }
  }

  /// Which connections `CLIENT KILL` means.
  private struct Victims: Sendable {
    var id: UInt64?
    var address: String?
    var localAddress: String?
    var user: String?
    var sparesCaller = true
    var isOldForm = false

    func includes(_ client: ClientFacts) -> Bool {
      (id == nil || id == client.id) && (address == nil || address == client.address)
        && (localAddress == nil || localAddress == client.localAddress) && (user == nil || user == client.service)
    }
  }

  private func kill(_ request: Arguments) {
    guard facts.rights.contains(.admin) else {
      return refuse(.noPermission("the service right ADMIN, to run CLIENT KILL"))
    }
    var victims = Victims()
    if request.count == 3 {
      victims.address = request.string(2)
      victims.sparesCaller = false
      victims.isOldForm = true
    } else {
      guard request.count % 2 == 0 else { return refuse(.syntax("syntax error")) }
      for index in stride(from: 2, to: request.count, by: 2) {
        let value = request.string(index + 1)
        switch request.string(index).lowercased() {
        case "id":
          guard let id = UInt64(value), id > 0 else { return refuse(.syntax("client-id should be greater than 0")) }
          victims.id = id
        case "addr": victims.address = value
        case "laddr": victims.localAddress = value
        case "user": victims.user = value
        case "type": if value.lowercased() != "normal" { victims.id = 0 }
        case "skipme": victims.sparesCaller = value.lowercased() == "yes"
        default: return refuse(.syntax("syntax error"))
        }
      }
    }
    let chosen = victims
    let caller = client.id
    later { context in
      var count = 0
      for lane in context.lanes {
        count += (try? await lane.loop.submit { Self.close(chosen, on: lane, caller) }.get()) ?? 0
      }
      var reply = Reply()
      if chosen.isOldForm {
        if count > 0 { reply.ok() } else { reply.error(Refusal.syntax("No such client").text) }
      } else {
        reply.integer(count)
      }
      return (reply, 0)
    }
  }

  /// Closes those of one lane; the caller, if it is among them, after its reply.
  private static func close(_ victims: Victims, on lane: Lane, _ caller: UInt64) -> Int {
    var count = 0
    for connection in lane.connections.values where victims.includes(connection.client) {
      if connection.client.id == caller {
        if victims.sparesCaller { continue }
        connection.closesAfterReply = true
      } else {
        connection.close()
      }
      count += 1
    }
    return count
  }
}
