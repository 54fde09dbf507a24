#if Replication
  import Foundation
  import GatehouseTestSupport
  import Testing

  /// Three nodes on a real etcd of three members, each on a host of its own, while links and processes fail. A short form of
  /// `python3 Tests/Faults`, which has more faults, and goes on for as long as one likes.
  @Suite("Nodes under faults", .enabled(if: findProgram("etcd") != nil, "etcd is not installed"), .serialized)
  struct ClusterFaultsTests {
    @Test("no acknowledged change is lost, and no read is older than promised")
    func aFewFaults() throws {
      let arguments = [
        "--gatehouse", try GatehouseProgram.path(), "--only",
        "asymmetric,stop-leader,kill-everything,compaction,clock-jump", "--rounds", "5", "--lease", "1000", "--seed",
        "5",
      ]
      let run = try runProgram("python3", ["-B", Self.faults] + arguments, limit: .seconds(240) * Patience.factor)
      if run.end == .exited(Self.isSkipped) { return print(run.output) }
      #expect(run.succeeded, "\(run.output)\n\(run.errors)")
    }

    @Test("the ledger finds histories that cannot be")
    func ledger() throws {
      let run = try runProgram("python3", ["-B", Self.faults + "/ledger_check.py"])
      #expect(run.succeeded, "\(run.output)\n\(run.errors)")
    }

    private static let faults =
      URL(filePath: #filePath).deletingLastPathComponent().path() + "../../Faults"

    /// How the script ends where a machine has no namespaces, or they are not allowed.
    private static let isSkipped: Int32 = 77
  }
#endif
