/// Where a user name belongs: its folded text's hash, and the partition that keeps its entry.
package struct NameKey: Sendable, BitwiseCopyable {
  package let hash: UInt32
  package let partition: Int

  package init(folded: UnsafeRawBufferPointer, _ partitioning: Partitioning) {
    let hash = sipHash(folded, key: partitioning.key)
    self.hash = UInt32(truncatingIfNeeded: hash)
    self.partition = partitioning.partition(ofHash: hash)
  }

  package init(_ name: String, _ partitioning: Partitioning) {
    var text = FoldedName(name).text
    self = text.withUTF8 { NameKey(folded: UnsafeRawBufferPointer($0), partitioning) }
  }
}
