/// What must be true of the whole state between any two records, whatever commands came before.
///
/// Tools that verify a data folder check it after a replay, and property tests after every command. It scans everything
/// once; a server never runs it.
public enum Invariants {
  /// - Parameters:
  ///   - partitions: all of them, in their order, as of one record.
  ///   - directory: the directory as of the same record.
  /// - Returns: the violations in words, at most `limit`; empty if there are none.
  public static func check(
    _ partitions: [PartitionCell], _ directory: DirectoryState, limit: Int = 100
  ) -> [String] {
    let checker = InvariantChecker(partitions: partitions, directory: directory, limit: limit)
    for table in DirectoryTables.all { table.check(directory.view, checker) }
    checker.expect(directory.view.lsn <= directory.lsn, "the directory is newer than its last record")
    for partition in partitions where !checker.isFull {
      for aggregate in PartitionState.aggregates { aggregate.check(partition.state, checker) }
    }
    checker.checkCounts()
    return checker.problems
  }
}

/// One scan over the state, with what it counts on the way.
final class InvariantChecker {
  let partitions: [PartitionCell]
  let directory: DirectoryState
  let limit: Int
  private(set) var problems: [String] = []

  /// Seats that are taken, recounted from product access.
  var seats: [SeatKey: Int] = [:]
  /// Super administrators, found again from grants, and whether their logins are live.
  var superAdministrators: [UserID: Bool] = [:]

  init(partitions: [PartitionCell], directory: DirectoryState, limit: Int) {
    self.partitions = partitions
    self.directory = directory
    self.limit = limit
  }

  var view: Directory { directory.view }
  var isFull: Bool { problems.count >= limit }

  func expect(_ condition: Bool, _ problem: @autoclosure () -> String) {
    if !condition, !isFull { problems.append(problem()) }
  }

  func isWorkspace(_ id: WorkspaceID) -> Bool { id > 0 && Int(id) <= view.workspaces.count }

  /// The partition and the serial number of a user, wherever it is.
  func user(_ id: UserID) -> (cell: PartitionCell, serial: Int)? {
    guard let cell = partition(of: id) else { return nil }
    return cell.state.serial(of: id).map { (cell, $0) }
  }

  func partition<Entity>(of id: Identifier<Entity>) -> PartitionCell? {
    guard let index = partitions.first?.state.partitioning.partition(of: id), partitions.indices.contains(index) else {
      return nil
    }
    return partitions[index]
  }

  /// `user #12`.
  func shown(_ state: borrowing PartitionState, user serial: Int) -> String {
    "user #\((state.id(serial) as UserID).raw) (\(state.people.username(serial)))"
  }
}

extension InvariantChecker {
  /// The counters must equal what the partitions have.
  fileprivate func checkCounts() {
    expect(seats == directory.counters.usage, "the counted seats are wrong: \(differences())")
    for product in view.products {
      for pool in product.pools {
        let used = directory.counters.used(product.seatKey(pool.type))
        expect(
          used <= Int(pool.bought),
          "\(used) of \(pool.bought) seats of \(pool.type) in product \(view.productName(product)) are taken")
      }
    }
    expect(
      superAdministrators == directory.counters.superAdministrators, "the counted super administrators are wrong")
    expect(
      directory.counters.superAdministrators.isEmpty || directory.counters.liveSuperAdministrators > 0,
      "no super administrator may log in")
  }

  private func differences() -> String {
    Set(seats.keys).union(directory.counters.usage.keys)
      .filter { seats[$0] != directory.counters.usage[$0] }
      .sorted { ($0.product, $0.licence) < ($1.product, $1.licence) }
      .map {
        "product \($0.product) licence \($0.licence): \(directory.counters.usage[$0] ?? 0), not \(seats[$0] ?? 0)"
      }
      .joined(separator: ", ")
  }
}
