internal import GatehouseCore

/// What storage needs to know about Gatehouse's records: the keys by which the archive finds them again.
package enum RecordIndex {
  /// Whom or what a record concerns, as `RecordKey` numbers, and when it was written.
  package static let keys: RecordKeys = RecordKey.find
}
