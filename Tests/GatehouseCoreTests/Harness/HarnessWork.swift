@testable import GatehouseCore

extension CoreHarness {
  /// Does the work that a decision needs, like the server: the trail is read from the records.
  func perform(_ work: any Work) -> any Sendable {
    switch work {
    case let work as ReadTrail:
      var page = TrailPage()
      let last = work.cursor.map { Int($0) } ?? records.count
      let wanted = records.enumerated().prefix(last).reversed().lazy.filter { _, record in
        work.actors.isEmpty || record.parts.contains { $0.isDone(byAny: work.actors) }
      }
      for (index, record) in wanted.prefix(work.count) {
        if let from = work.from, record.time < from { break }
        page.events += record.parts.reversed().map { TrailEvent(lsn: LSN(index + 1), part: $0) }
      }
      return FinishedWork(work, .success(page))
    case let work as ReadPast:
      var changes = PastChanges()
      var later = FactSearch(work.after.keys, isNewestFirst: false)
      for record in records where record.time > work.moment { _ = later.look(at: record) }
      var earlier = FactSearch(work.until, isNewestFirst: true)
      for record in records.reversed() where record.time <= work.moment { _ = earlier.look(at: record) }
      (changes.after, changes.until) = (later.found, earlier.found)
      return FinishedWork(work, .success(changes))
    case let work as ReadRefusals:
      return FinishedWork(work, .success(refusals.kept.reversed().filter { $0.time >= work.since }))
    case let work as FindUsers:
      return FinishedWork(work, FindUsers.ids(in: answerApart(work)))
    case let work as ReadFeed:
      let after = work.start ?? lsn
      guard after <= lsn else { return FinishedWork(work, .failure(.notFound("record"))) }
      var events: [TrailEvent] = []
      for (index, record) in records.enumerated().dropFirst(Int(after)).prefix(work.count) {
        events += record.parts.map { TrailEvent(lsn: LSN(index + 1), part: $0) }
      }
      let last = events.last?.lsn ?? lsn
      // Here nobody waits for long.
      let page = FeedPage(events: events, last: last, patience: last < lsn ? work.remaining : 0)
      return FinishedWork(work, .success(page))
    case let work as ReadHead:
      return FinishedWork(work, .success(TrailHead(lsn: lsn, hash: String(repeating: "0", count: 32))))
    case let work as VerifyTrail:
      return FinishedWork(
        work, .success(TrailReport(from: work.from, through: lsn, frames: lsn, records: lsn, problem: nil)))
    case let work as Search:
      var findings = work.begin(partitioning)
      for cell in cells {
        var next: Int? = 1
        while let first = next { next = work.look(at: cell.held, from: first, into: &findings) }
        whileSearching?(cell.index)
      }
      return FinishedWork(work, .success(findings))
    case let work as CheckPassword: return perform(work)
    case let work as HashPassword: return perform(work)
    case let work as HashPasswords:
      return FinishedWork(work, .success(work.passwords.compactMap { try? perform($0).outcome.get() }))
    case let work as GeneratePassword: return perform(work)
    default: preconditionFailure("nobody knows how to do \(work)")
    }
  }
}

extension CoreHarness {
  /// Carries out a list with a turn of its own, while the harness' turn has another command.
  private func answerApart(_ work: FindUsers) -> Reply {
    let apart = Turn(
      partitioning: partitioning, directory: directory.state.view, counters: gate, refusals: refusals,
      folderSecret: Digest(7, 7, 7, 7), entropy: turn.entropy, digest: Self.digest,
      hmacSHA1: Self.hmacSHA1)
    return OwnedArguments(work.request).withView { request in
      var place: Int?
      guard case .everywhere = apart.begin(request, on: work.connection, now: now, commandIndex: &place) else {
        return apart.reply
      }
      guard case .decided = apart.prepare(holding: cells.map(\.held)), !apart.reply.isError else {
        return apart.reply
      }
      let preparation = apart.preparation
      apart.letGo()
      apart.adopt(preparation)
      var gathered = Gathered()
      repeat {
        for cell in cells where !gathered.isComplete {
          repeat {
            guard apart.collect(cell.held, into: &gathered) else { return apart.reply }
          } while !gathered.isAtStart && !gathered.isComplete
        }
        apart.finish(&gathered)
      } while gathered.beginsAgain()
      while gathered.isUnfinished {
        for cell in cells { apart.lookUp(cell.held, for: &gathered) }
        apart.finish(&gathered)
      }
      return apart.reply
    }
  }
}

/// Hashes that a test can read: the password behind the name of an algorithm. One whose text is `weak` is weak, and one
/// under `old$` was hashed with other parameters.
private enum HarnessHashes {
  static func hash(_ password: SecretWord) -> String { "new$" + text(password) }
  static func text(_ password: SecretWord) -> String { String(decoding: password.bytes, as: UTF8.self) }

  static func match(_ password: GivenPassword, _ hash: String?) -> PasswordMatch {
    let composed = match(password.composed, hash)
    guard composed == .wrong, let typed = password.typed, match(typed, hash) != .wrong else { return composed }
    return .right(rehashed: Self.hash(password.composed))
  }

  private static func match(_ password: SecretWord, _ hash: String?) -> PasswordMatch {
    // Bytes, because Swift takes texts for equal whose letters are composed differently.
    switch hash.map({ Array($0.utf8) }) {
    case Array("new$".utf8) + password.bytes: .right(rehashed: nil)
    case Array("old$".utf8) + password.bytes: .right(rehashed: Self.hash(password))
    default: .wrong
    }
  }
}

extension CoreHarness {
  func perform(_ work: CheckPassword) -> FinishedWork<CheckPassword> {
    FinishedWork(work, .success(HarnessHashes.match(work.password, work.hash)))
  }

  func perform(_ work: HashPassword) -> FinishedWork<HashPassword> {
    if let old = work.old, HarnessHashes.match(old.password, old.hash) == .wrong {
      return FinishedWork(work, .success(.wrongOld))
    }
    if let former = work.former, HarnessHashes.match(GivenPassword(work.password), former) != .wrong {
      return FinishedWork(work, .success(.unchanged))
    }
    if HarnessHashes.text(work.password).contains("weak"), work.strength.score > 0 {
      return FinishedWork(work, .success(.weak("it is easy to guess")))
    }
    return FinishedWork(work, .success(.hashed(HarnessHashes.hash(work.password))))
  }

  func perform(_ work: GeneratePassword) -> FinishedWork<GeneratePassword> {
    let salt = "salt\(lsn)"
    let password = MailedSecret.password(salt: salt, Digest(7, 7, 7, 7), Self.digest)
    let hash = HarnessHashes.hash(SecretWord(Array(password.utf8)))
    return FinishedWork(work, .success(GeneratedPassword(salt: salt, hash: hash)))
  }
}
