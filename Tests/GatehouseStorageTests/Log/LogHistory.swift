import GatehouseStorage

/// What the owner of a log knows of it, and the violations that starts have found.
struct LogHistory {
  /// The records appended since the last start, and before them those that it found.
  private(set) var appended: [[UInt8]] = []
  /// How many records the log has promised to keep.
  var acknowledged: UInt64 = 0
  private(set) var violations: [String] = []
  private var generation: UInt64 = 0

  /// Appends a record that no other generation would append under this number.
  mutating func append(to writer: LogWriter) throws(LogRefusal) {
    let record = testRecord(UInt64(appended.count) + 1, seed: generation)
    let lsn = try writer.append(record)
    appended.append(record)
    if lsn != UInt64(appended.count) { violations.append("record \(appended.count) got LSN \(lsn)") }
  }

  /// Compares what a start finds with what is known, and continues from there.
  mutating func recover(_ log: TestLog, _ what: String) -> LogEnd? {
    generation += 1
    var found: [[UInt8]] = []
    do {
      let end = try LogRecovery(log.location, options: log.options, forWriting: true).replay(from: 1) { lsn, record in
        found.append([UInt8](copying: record))
        if lsn != UInt64(found.count) { violations.append("\(what): LSN \(lsn) as number \(found.count)") }
      }
      if UInt64(found.count) < acknowledged {
        violations.append("\(what): \(found.count) records of \(acknowledged) acknowledged")
      }
      if found.count > appended.count || found != Array(appended.prefix(found.count)) {
        violations.append("\(what): \(found.count) records, not those that were appended")
      }
      appended = found
      return end
    } catch let error as LogError where error.code == .disk {
      // Opening hit the fault: nothing is known of the log.
      return nil
    } catch {
      violations.append("\(what): refused: \(error)")
      return nil
    }
  }
}

/// A seeded random use of a log: appends, turns of the writer and the keeper, rotations, perhaps a close.
struct LogScript {
  var seed: UInt64
  var steps = 14
  var closes: Bool?

  /// Opens the log and uses it until the script ends or the log fails.
  func run(_ log: TestLog, _ history: inout LogHistory, _ what: String = "start") {
    guard let end = history.recover(log, what) else { return }
    guard
      let writer = try? LogWriter(log.location, continuing: end, options: log.options, isDriven: true)
    else { return }
    var random = SplitMix64(seed: seed)
    for _ in 0..<steps {
      do throws(LogRefusal) {
        switch random.next() % 8 {
        case 0: for _ in 0..<60 { try history.append(to: writer) }
        case 1...5: for _ in 0..<(random.next() % 5 + 1) { try history.append(to: writer) }
        default: break
        }
      } catch {
        // A full or failed log: the following turns show how it behaves.
      }
      switch random.next() % 8 {
      case 3...4 where log.options.inlineRecords > 0: writer.commit(after: 1)
      case 0: writer.tick()
      case 1:
        writer.rotate()
        _ = writer.turn()
      case 2: break
      default: _ = writer.turn()
      }
      note(writer, &history)
    }
    if closes ?? Bool.random(using: &random) {
      writer.close()
      note(writer, &history)
    }
  }

  private func note(_ writer: LogWriter, _ history: inout LogHistory) {
    history.acknowledged = writer.durableLSN
  }
}
