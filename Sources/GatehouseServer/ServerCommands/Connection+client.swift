import GatehouseCore

/// `CLIENT …`.
extension Connection {
  func clientCommand(_ command: ServerCommand.Client, _ request: Arguments) {
    switch command {
    case .id: answer { $0.integer(self.client.id) }
    case .getName: answer { self.client.name.isEmpty ? $0.null() : $0.text(self.client.name) }
    case .setName: setName(request.string(2))
    case .lastLSN: answer { $0.integer(self.lastWrite) }
    case .setInfo: setInfo(request.string(2).lowercased(), request.string(3))
    case .info:
      let line = ClientLine(self, at: lane.monotonic).text
      answer { $0.verbatim(line + "\n") }
    case .list: list(request)
    case .kill: kill(request)
    case .noEvict: setSwitch(request.string(2)) { self.client.isNotEvicted = $0 }
    case .noTouch: setSwitch(request.string(2)) { self.client.isNotTouching = $0 }
    }
  }

  private func setSwitch(_ value: String, _ set: (Bool) -> Void) {
    switch value.lowercased() {
    case "on": set(true)
    case "off": set(false)
    default: return refuse(.syntax("syntax error"))
    }
    answer { $0.ok() }
  }

  /// - Throws: if a text that a client tells of itself can be none of its name, its library or the version of that. What it
  ///   tells is shown to others, by `CLIENT LIST` and `SLOWLOG`: a token there was meant for somewhere else.
  static func checkName(_ name: String, _ what: String = "Client names") throws(Refusal) {
    guard name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
      throw .syntax("\(what) cannot contain spaces, newlines or special characters.")
    }
    guard !Array(name.utf8).withUnsafeBytes(SecretText.isLike) else {
      throw .syntax("\(what) cannot be a token, a key or a secret, because others see them; give another")
    }
  }

  private func setName(_ name: String) {
    do throws(Refusal) { try Self.checkName(name) } catch { return refuse(error) }
    client.name = name
    answer { $0.ok() }
  }

  private func setInfo(_ attribute: String, _ value: String) {
    let shown = ["lib-name", "lib-ver"].contains(attribute) ? attribute : "the value"
    do throws(Refusal) { try Self.checkName(value, shown) } catch { return refuse(error) }
    switch attribute {
    case "lib-name": client.libraryName = value
    case "lib-ver": client.libraryVersion = value
    default: return refuse(.syntax("Unrecognized option '\(attribute.prefix(128))'"))
    }
    answer { $0.ok() }
  }

  private func list(_ request: Arguments) {
    var wanted: Set<UInt64>?
    var kind: ClientFilter.Kind?
    if request.count > 2 {
      switch request.string(2).lowercased() {
      case "id" where request.count > 3:
        let ids = (3..<request.count).compactMap { UInt64(request.string($0)) }
        guard ids.count == request.count - 3 else { return refuse(.syntax("Invalid client ID")) }
        wanted = Set(ids)
      case "type" where request.count == 4:
        do throws(Refusal) { kind = try ClientFilter.Kind(request.string(3)) } catch { return refuse(error) }
      default: return refuse(.syntax("syntax error"))
      }
    }
    let (ids, type) = (wanted, kind)
    later { context in
      var lines: [(UInt64, String)] = []
      for lane in context.lanes {
        lines += await lane.loop.submit {
          let now = Clock.monotonicMilliseconds()
          return lane.connections.values
            .filter { (ids?.contains($0.client.id) ?? true) && (type?.includes($0) ?? true) }
            .map { ($0.client.id, ClientLine($0, at: now).text) }
        }
      }
      var reply = Reply()
      reply.verbatim(lines.sorted { $0.0 < $1.0 }.map { $0.1 + "\n" }.joined())
      return (reply, 0)
    }
  }

  private func kill(_ request: Arguments) {
    let isOfAddress = request.count == 3
    let filter: ClientFilter
    do throws(Refusal) {
      filter = isOfAddress ? ClientFilter(address: request.string(2)) : try ClientFilter(request, lane.directory)
    } catch {
      return refuse(error)
    }
    let caller = client.id
    later { context in
      var count = 0
      for lane in context.lanes {
        count += await lane.loop.submit { Self.close(filter, on: lane, caller) }
      }
      var reply = Reply()
      if !isOfAddress {
        reply.integer(count)
      } else if count > 0 {
        reply.ok()
      } else {
        reply.error(Refusal.syntax("No such client").text)
      }
      return (reply, 0)
    }
  }

  /// Closes the matching connections of one lane; the caller's own, if it matches, after its reply.
  private static func close(_ filter: ClientFilter, on lane: Lane, _ caller: UInt64) -> Int {
    var count = 0
    let now = Clock.monotonicMilliseconds()
    for connection in lane.connections.values where filter.includes(connection, at: now) {
      if connection.client.id == caller {
        if filter.sparesCaller { continue }
        connection.finish()
      } else {
        connection.close()
      }
      count += 1
    }
    return count
  }
}
