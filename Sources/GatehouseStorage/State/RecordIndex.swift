internal import GatehouseCore

/// What storage asks about the records of Gatehouse: by these keys the archive finds them again.
package enum RecordIndex {
  /// Whom a record concerns, in the numbers of `RecordKey`, and when it was written.
  package static let keys: RecordKeys = RecordKey.find
}
