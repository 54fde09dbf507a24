import GatehouseCore
import GatehouseStorage
import GatehouseWire

/// Records as text: one line for each command and one for each of its changes, or one JSON object. The commands of an
/// `EXEC` share one LSN.
struct RecordLines {
  let isJSON: Bool
  /// Provides the names of users, products and workspaces.
  let state: Restoration?
  /// Opens what is sealed in the records.
  let seals: KeyStore?

  func lines(of bytes: UnsafeRawBufferPointer, _ lsn: UInt64) throws -> String {
    var reader = ByteReader(bytes)
    let record = try Record(from: &reader, seals)
    return record.parts.map { part in
      let changes = part.changeTexts(in: state?.directory.view)
      return isJSON ? json(part.header, changes, lsn) + "\n" : text(part.header, changes, lsn)
    }.joined()
  }

  private func text(_ header: RecordHeader, _ changes: [ChangeText], _ lsn: UInt64) -> String {
    var line = "\(lsn)  \(TimeText.text(of: header.time))  \(ShownText.value(header.command))"
    if let actor = header.actor {
      line += "  by \(ShownText.value(name(of: actor)))"
      if let subject = header.subject, subject != actor { line += " as \(ShownText.value(name(of: subject)))" }
    }
    line += "  through \(ShownText.value(service(header.service)))"
    // The reason comes last, so it needs no quotes.
    if !header.reason.isEmpty { line += "  because: \(ShownText.line(header.reason))" }
    return line + "\n" + changes.map { "    \($0)\n" }.joined()
  }

  private func json(_ header: RecordHeader, _ changes: [ChangeText], _ lsn: UInt64) -> String {
    var object = JSONObject()
    object.add("lsn", lsn)
    object.add("time", TimeText.text(of: header.time))
    object.add("command", header.command)
    object.add("actor", header.actor.map(name(of:)))
    object.add("subject", header.subject.map(name(of:)))
    object.add("service", service(header.service))
    object.add("connection", header.connection)
    object.add("reason", header.reason.isEmpty ? nil : header.reason)
    object.add("changes", changes.map(value))
    return object.line
  }

  private func value(of change: ChangeText) -> RESPValue {
    var object = JSONObject()
    object.add("kind", change.kind)
    object.add("of", change.entity)
    object.add(
      "fields",
      change.fields.map { field in
        var object = JSONObject()
        object.add("name", field.name)
        object.add("old", field.old)
        object.add("new", field.new)
        return object.value
      })
    return object.value
  }

  private func name(of user: UserID) -> String { state?.name(of: user) ?? "#\(user.raw)" }

  private func service(_ id: ServiceID) -> String {
    if id == 0 { return "local" }
    return state?.directory.view.services.first { $0.id == id }?.name ?? "service #\(id)"
  }
}

/// Frames as lines.
struct FrameText {
  let isJSON: Bool

  func line(of frame: FrameInfo) -> String {
    let header = frame.header
    if isJSON { return json(frame) + "\n" }
    var line = ShownText.line(frame.file) + (frame.offset.map { " \($0)" } ?? "")
    switch header.type {
    case .records: line += "  \(Figures.records(header.firstLSN...max(header.firstLSN, header.nextLSN - 1)))"
    case .cleanEnd: line += "  clean end"
    case .skippable(let code): line += "  type \(code)"
    }
    line += "  epoch \(header.epoch)  \(header.bodyLength) bytes"
    if header.isCompressed { line += " stored in \(header.storedLength)" }
    if header.dictionaryID != 0 { line += " with dictionary \(header.dictionaryID)" }
    return line + "  durable \(header.durableLSN)  hash \(header.hash)\n"
  }

  private func json(_ frame: FrameInfo) -> String {
    let header = frame.header
    var object = JSONObject()
    object.add("file", frame.file)
    object.add("offset", frame.offset)
    switch header.type {
    case .records: object.add("type", "records")
    case .cleanEnd: object.add("type", "clean-end")
    case .skippable(let code): object.add("type", "\(code)")
    }
    object.add("first", header.firstLSN)
    object.add("records", header.recordCount)
    object.add("epoch", header.epoch)
    object.add("bytes", header.bodyLength)
    object.add("stored", header.storedLength)
    object.add("dictionary", header.dictionaryID)
    object.add("durable", header.durableLSN)
    object.add("previous", "\(header.previousHash)")
    object.add("hash", "\(header.hash)")
    return object.line
  }
}
