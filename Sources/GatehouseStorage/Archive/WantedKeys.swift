/// The keys whose records a reader of the history still needs. For one reading, on one thread.
package final class WantedKeys {
  package private(set) var keys: Set<UInt64>
  /// Other keys that every record with a key has as well. The index of the log may say by mistake that a part of it has
  /// a key; that it says so of two is rare.
  private let companions: [UInt64: UInt64]

  package init(_ keys: some Sequence<UInt64>, companions: [UInt64: UInt64] = [:]) {
    self.keys = Set(keys)
    self.companions = companions
  }

  /// Says which keys are still needed.
  package func keep(_ keys: Set<UInt64>) { self.keys = keys }

  /// Whether a part of the log can have one of the records.
  func mayBe(in ids: BloomFilter) -> Bool {
    keys.contains { key in ids.mayContain(key) && companions[key].map(ids.mayContain) ?? true }
  }
}
