internal import Glibc

/// The keys whose records a reader of the history still needs. For one reading, on one thread.
package final class WantedKeys {
  package private(set) var keys: Set<UInt64>
  /// Other keys that every record with a key has as well. The index of the log may say by mistake that a part of it has
  /// a key; that it says so of two is rare.
  private let companions: [UInt64: UInt64]
  /// Bytes that every record with a key has.
  private let marks: [UInt64: [UInt8]]

  package init(
    _ keys: some Sequence<UInt64>, companions: [UInt64: UInt64] = [:], marks: [UInt64: [UInt8]] = [:]
  ) {
    self.keys = Set(keys)
    self.companions = companions
    self.marks = marks
  }

  /// Says which keys are still needed.
  package func keep(_ keys: Set<UInt64>) { self.keys = keys }

  /// Whether a part of the log can have one of the records.
  func mayBe(in ids: BloomFilter) -> Bool { keys.contains { isPossible($0, in: ids) } }

  private func isPossible(_ key: UInt64, in ids: BloomFilter) -> Bool {
    ids.mayContain(key) && companions[key].map(ids.mayContain) ?? true
  }

  /// What tells the records worth decoding, of a part of the log that may have these ids; all may be there if it is nil.
  func marks(in ids: BloomFilter?) -> RecordMarks {
    RecordMarks(of: keys.filter { key in ids.map { isPossible(key, in: $0) } ?? true }, in: marks)
  }

  /// The same of a part that has records with these keys.
  func marks(of keys: [UInt64]?) -> RecordMarks {
    RecordMarks(of: keys.map { $0.filter(self.keys.contains) } ?? Array(self.keys), in: marks)
  }
}

/// Tells by a look at its bytes whether a record can have one of some keys. To decode a record in order to find its keys
/// takes ten times as long.
struct RecordMarks {
  /// nil if a record without any of these can be wanted, too.
  private let marks: [[UInt8]]?

  init(of keys: some Collection<UInt64>, in marks: [UInt64: [UInt8]]) {
    let found = keys.map { marks[$0] }
    self.marks = found.isEmpty || found.contains(nil) ? nil : Array(Set(found.compactMap { $0 }))
  }

  func mayBe(in record: UnsafeRawBufferPointer) -> Bool {
    guard let marks else { return true }
    return marks.contains { Self.contains($0, in: record) }
  }

  /// The numbers of the records that can have one of the keys, ascending; nil if all can.
  ///
  /// - Parameters:
  ///   - bytes: the records, one after the other.
  ///   - starts: where each begins, and the end of the last.
  func records(in bytes: UnsafeRawBufferPointer, _ starts: [UInt32]) -> [Int]? {
    guard let marks else { return nil }
    var found: Set<Int> = []
    for mark in marks {
      guard let base = bytes.baseAddress, let first = mark.first else { continue }
      var offset = 0
      while offset + mark.count <= bytes.count,
        let hit = memchr(base + offset, Int32(first), bytes.count - mark.count - offset + 1)
      {
        offset = UnsafeRawPointer(hit) - base
        guard memcmp(hit, mark, mark.count) == 0 else {
          offset += 1
          continue
        }
        let record = Self.record(at: offset, starts)
        let end = Int(starts[record + 1])
        if offset + mark.count <= end {
          found.insert(record)
          offset = end
        } else {
          offset += 1
        }
      }
    }
    return found.sorted()
  }

  /// The last record that does not begin after an offset.
  private static func record(at offset: Int, _ starts: [UInt32]) -> Int {
    var (low, high) = (0, starts.count - 1)
    while high - low > 1 {
      let middle = (low + high) / 2
      if Int(starts[middle]) <= offset { low = middle } else { high = middle }
    }
    return low
  }

  private static func contains(_ mark: [UInt8], in record: UnsafeRawBufferPointer) -> Bool {
    guard let bytes = record.baseAddress, let first = mark.first else { return true }
    var offset = 0
    while offset + mark.count <= record.count,
      let found = memchr(bytes + offset, Int32(first), record.count - mark.count - offset + 1)
    {
      if memcmp(found, mark, mark.count) == 0 { return true }
      offset = UnsafeRawPointer(found) - bytes + 1
    }
    return false
  }
}
