import GatehouseStorage

@testable import GatehouseReplication

/// A node as a server would be: it follows, leads when nobody does, writes and answers reads while it leads. It keeps its
/// log over restarts.
final class SimulatedNode: @unchecked Sendable {
  let name: String
  let network = SimulatedClient.Network()
  private(set) var machine: SimulatedWorld.Machine
  private unowned let world: SimulatedWorld
  private let etcd: SimulatedEtcd
  private let ledger: SimulatedLedger
  private let sabotage: ReplicationSabotage
  private let settings: ReplicationSettings
  private(set) var log: EtcdLog
  /// The frames on its disk, of which the last may not be in the shared log.
  private(set) var frames: [SharedFrame] = []
  /// Through which of them it knows that they are in the shared log.
  private(set) var verified: UInt64 = 0
  private(set) var isLeading = false
  private var written = 0
  /// Asks it to write no more, so that a run can end.
  var isQuiet = false
  /// Asks it to lead, even if another one does.
  var isForced = false
  /// Who leads, as far as it knows.
  private var leader: LeaderEntry?

  private struct Vacancy: Error {}

  init(
    _ name: String, _ world: SimulatedWorld, _ etcd: SimulatedEtcd, _ ledger: SimulatedLedger,
    _ settings: ReplicationSettings, _ sabotage: ReplicationSabotage
  ) {
    self.name = name
    self.world = world
    self.etcd = etcd
    self.ledger = ledger
    self.settings = settings
    self.sabotage = sabotage
    machine = world.machine(name)
    log = Self.open(machine, SimulatedClient(etcd, world, network), settings, sabotage)
  }

  static let folderID = Hash128(high: 1, low: 2)
  /// Short, so that longer frames take parts.
  static let longestValue = 64

  private static func open(
    _ machine: SimulatedWorld.Machine, _ client: SimulatedClient, _ settings: ReplicationSettings,
    _ sabotage: ReplicationSabotage
  ) -> EtcdLog {
    EtcdLog(
      client, folderID: folderID, settings, machine.surroundings, longestValue: longestValue, sabotage: sabotage)
  }

  private var entry: NodeEntry {
    var entry = NodeEntry(name: name, host: name, port: 7000, version: "1")
    entry.index = UInt64(frames.count)
    return entry
  }

  func start() { _ = machine.spawn { [self] in await run() } }

  /// Its process is killed and started again.
  func restart() {
    machine.isStopped = true
    isLeading = false
    machine = world.machine(name)
    log = Self.open(machine, SimulatedClient(etcd, world, network), settings, sabotage)
    start()
  }

  // MARK: Living

  private func run() async {
    let machine = machine
    while true {
      do {
        try await rejoin()
        try await follow()
      } catch is Vacancy {
        await leadIfVacant()
      } catch SharedLogError.damaged(let what) {
        ledger.fault("\(name): \(what)")
        await machine.surroundings.sleep(500_000_000)
      } catch {
        await machine.surroundings.sleep(200_000_000)
      }
    }
  }

  /// Cuts off what is not in the shared log.
  private func rejoin() async throws {
    let status = try await log.status()
    guard let tail = status.tail else {
      try await log.begin(at: SharedTail(index: 0, lsn: 0, hash: .zero, epoch: 0))
      return
    }
    while let last = frames.last {
      if last.index <= tail.index {
        if last.index < status.firstIndex { break }
        if try await log.frames(after: last.index - 1).first == last { break }
      }
      frames.removeLast()
    }
    verified = UInt64(frames.count)
    _ = try? await log.announce(entry)
  }

  private func follow() async throws {
    let (machine, log) = (machine, log)
    try await log.follow(after: UInt64(frames.count)) { [self] news in
      switch news {
      case .frames(let new):
        for frame in new {
          if frame.index != UInt64(frames.count + 1) {
            ledger.fault("\(name) was handed frame \(frame.index) after \(frames.count)")
          }
          frames.append(frame)
        }
        verified = UInt64(frames.count)
      case .current(let asked):
        // The same moment in the world's time, as exactly as the clock tells.
        let ago = machine.clock - asked
        ledger.current(UInt64(frames.count), at: world.now - min(world.now, ago + ago / 10), by: name)
      case .leader(let leader):
        self.leader = leader
        if leader == nil { throw Vacancy() }
      case .handover: break
      }
      if isForced { throw Vacancy() }
    }
  }

  private func leadIfVacant() async {
    do {
      let replaced = isForced ? leader?.epoch : nil
      isForced = false
      guard let leadership = try await log.lead(as: entry, replacing: replaced, above: 0) as? EtcdLeadership else {
        return
      }
      do {
        try await lead(leadership)
      } catch {
        // Nobody else could lead as long as it has one that it does not use.
        await leadership.resign()
      }
    } catch {
      // It follows again.
    }
  }

  private func lead(_ leadership: EtcdLeadership) async throws {
    let machine = machine
    ledger.began(name, leadership.epoch)
    while frames.count < Int(leadership.tail.index) {
      let more = try await log.frames(after: UInt64(frames.count))
      frames += more.prefix(Int(leadership.tail.index) - frames.count)
    }
    if frames.count > Int(leadership.tail.index) { ledger.fault("\(name) leads and has more than the tail") }
    verified = leadership.tail.index
    isLeading = true
    defer { if machine === self.machine { isLeading = false } }
    let reader = machine.spawn { [self] in await answerReads(leadership, machine) }
    var known = leadership.tail.index
    while true {
      await machine.surroundings.sleep(5_000_000 + world.pick(100_000_000))
      guard leadership.validUntil != 0 else { break }
      if isQuiet { continue }
      let count = 1 + world.pick(4)
      var indices: [(UInt64, [UInt8])] = []
      for _ in 0..<count {
        let bytes = makeFrame(leadership.epoch)
        switch leadership.pipeline.add(
          bytes, lsn: UInt64(frames.count + 1), hash: Hash128(high: leadership.epoch, low: UInt64(written)),
          epoch: leadership.epoch)
        {
        case .index(let index, _):
          frames.append(SharedFrame(index: index, bytes: bytes))
          indices.append((index, bytes))
        case .dropped, .over: break
        }
      }
      guard let last = indices.last else { continue }
      guard await isStored(last.0, leadership, machine) else { break }
      for (index, bytes) in indices {
        ledger.acknowledge(index, bytes, by: name, epoch: leadership.epoch)
        known = max(known, index)
      }
      applied = known
      verified = known
      let least = ledger.least()
      if world.happens(oneIn: 40), least > 0 { try? await log.truncate(through: least) }
      if world.happens(oneIn: 200) { break }
    }
    await leadership.resign()
    reader.cancel()
    applied = 0
  }

  /// Through which frame this leader has acknowledged; 0 before its first.
  private var applied: UInt64 = 0

  /// As long as `EtcdSink.sync` would wait.
  private func isStored(_ index: UInt64, _ leadership: EtcdLeadership, _ machine: SimulatedWorld.Machine) async -> Bool
  {
    while true {
      switch leadership.pipeline.standing(through: index) {
      case .stored: return true
      case .underWay: await machine.surroundings.sleep(4_000_000)
      case .dropped, .over: return false
      }
    }
  }

  private func makeFrame(_ epoch: UInt64) -> [UInt8] {
    written += 1
    let text = "\(name) \(epoch) \(written) "
    return Array((text + String(repeating: "x", count: world.happens(oneIn: 10) ? Int(world.pick(300)) : 0)).utf8)
  }

  /// A leader's reads see what it had when it began and what it has acknowledged since.
  private func answerReads(_ leadership: EtcdLeadership, _ machine: SimulatedWorld.Machine) async {
    while !Task.isCancelled, leadership.validUntil != 0 {
      let seen = max(leadership.tail.index, applied)
      if leadership.validUntil > machine.clock { ledger.read(seen, by: name, epoch: leadership.epoch) }
      await machine.surroundings.sleep(40_000_000)
    }
  }
}
