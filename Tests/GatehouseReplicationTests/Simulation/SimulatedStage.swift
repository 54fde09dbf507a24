import GatehouseStorage

@testable import GatehouseReplication

/// Machines with a shared log each, on a simulated etcd without faults, for a test that says what happens when.
final class SimulatedStage {
  let world: SimulatedWorld
  let etcd: SimulatedEtcd
  let keys = LogKeys(SimulatedNode.folderID)

  static let second: UInt64 = 1_000_000_000

  init(seed: UInt64 = 1) {
    world = SimulatedWorld(seed: seed)
    etcd = SimulatedEtcd(world)
  }

  deinit {
    etcd.clear()
    world.clear()
  }

  /// A machine that can be stopped or cut off.
  struct Host {
    let machine: SimulatedWorld.Machine
    let network: SimulatedClient.Network
    let log: EtcdLog
    let entry: NodeEntry
  }

  func host(
    _ name: String, leaseMilliseconds: Int = 1_000, _ sabotage: ReplicationSabotage = []
  ) -> Host {
    var settings = ReplicationSettings(address: "etcd://simulated")
    settings.leaseMilliseconds = leaseMilliseconds
    let machine = world.machine(name)
    let network = SimulatedClient.Network()
    let log = EtcdLog(
      SimulatedClient(etcd, world, network), folderID: SimulatedNode.folderID, settings, machine.surroundings,
      sabotage: sabotage)
    return Host(
      machine: machine, network: network, log: log,
      entry: NodeEntry(name: name, host: name, port: 7000, version: "1"))
  }

  /// What something on a host results in, once it has. It belongs to the thread of the world.
  final class Outcome<Value>: @unchecked Sendable {
    fileprivate(set) var result: Result<Value, any Error>?

    var value: Value? { try? result?.get() }
    var failure: String? { if case .failure(let error) = result { "\(error)" } else { nil } }
  }

  func begin<Value>(_ host: Host, _ body: @escaping @Sendable () async throws -> Value) -> Outcome<Value> {
    let outcome = Outcome<Value>()
    _ = host.machine.spawn {
      do {
        outcome.result = .success(try await body())
      } catch {
        outcome.result = .failure(error)
      }
    }
    return outcome
  }

  /// Waits for it, at most some seconds.
  func run<Value>(
    _ host: Host, within seconds: UInt64 = 10, _ body: @escaping @Sendable () async throws -> Value
  ) -> Outcome<Value> {
    let outcome = begin(host, body)
    let end = world.now + seconds * Self.second
    while outcome.result == nil, world.now < end { world.run(until: world.now + Self.second / 50) }
    return outcome
  }

  /// Begins the log and has a host lead, which appends some frames.
  func lead(_ host: Host, frames: UInt64) -> EtcdLeadership? {
    let (log, entry) = (host.log, host.entry)
    return run(host) {
      try await log.begin(at: SharedTail(index: 0, lsn: 0, hash: .zero, epoch: 0))
      let leadership = try await log.lead(as: entry, replacing: nil, above: 0) as? EtcdLeadership
      for number in 0..<frames {
        _ = leadership?.pipeline.add(
          [UInt8(number)], lsn: number + 1, hash: Hash128(high: 1, low: number + 1), epoch: leadership?.epoch ?? 0)
      }
      while leadership?.pipeline.standing(through: frames) == .underWay {
        await host.machine.surroundings.sleep(20_000_000)
      }
      return leadership
    }.value ?? nil
  }
}
