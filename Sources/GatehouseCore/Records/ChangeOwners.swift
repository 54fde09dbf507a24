/// The partitions that a change modifies.
public struct ChangeOwners: Sendable {
  /// A change has a subject and at most two names, or it names another session.
  private static let most = 4

  private var partitions = InlineArray<4, Int>(repeating: 0)
  private var count = 0
  /// The partition count if all are modified; else 0.
  private var all = 0

  init() {}

  /// The owners of a change that mutates one partition.
  @inline(__always)
  init(_ partition: Int) { insert(partition) }

  @inline(__always)
  mutating func insert(_ partition: Int) {
    for index in 0..<count where partitions[index] == partition { return }
    precondition(count < Self.most, "a change with too many owners")
    partitions[count] = partition
    count += 1
  }

  mutating func insertAll(of count: Int) { all = count }

  @inline(__always)
  func forEach(_ body: (Int) -> Void) {
    for partition in 0..<all { body(partition) }
    for index in 0..<count { body(partitions[index]) }
  }
}

/// A visitor that finds the owners.
private struct OwnerFinder: FieldVisitor {
  typealias Failure = Never

  let partitioning: Partitioning
  var owners = ChangeOwners()

  mutating func value<Form: FieldForm>(_ value: inout Form.Value, as form: Form.Type) {
    if let partition = Form.partition(value, partitioning) { owners.insert(partition) }
  }

  mutating func subject<Form: SubjectForm>(_ value: inout Form.Value, as form: Form.Type) {
    if let partition = Form.home(value, partitioning) { owners.insert(partition) }
  }

  mutating func everywhere() { owners.insertAll(of: partitioning.count) }

  mutating func later() {}
}

extension Change {
  public func owners(_ partitioning: Partitioning) -> ChangeOwners { visitedOwners(partitioning) }

  /// The owners according to the fields.
  func visitedOwners(_ partitioning: Partitioning) -> ChangeOwners {
    var change = self
    var finder = OwnerFinder(partitioning: partitioning)
    change.visit(&finder)
    return finder.owners
  }
}
