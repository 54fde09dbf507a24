/// The key of a username: the hash of its folded text, and the partition that indexes it.
public struct NameKey: Sendable, BitwiseCopyable {
  public let hash: UInt32
  public let partition: Int

  static let none = NameKey(hash: 0, partition: 0)

  private init(hash: UInt32, partition: Int) {
    self.hash = hash
    self.partition = partition
  }

  public init(folded: UnsafeRawBufferPointer, _ partitioning: Partitioning) {
    let hash = sipHash(folded, key: partitioning.key)
    self.hash = UInt32(truncatingIfNeeded: hash)
    self.partition = partitioning.partition(ofHash: hash)
  }

  public init(_ name: String, _ partitioning: Partitioning) {
    var text = FoldedName(name).text
    self = text.withUTF8 { NameKey(folded: UnsafeRawBufferPointer($0), partitioning) }
  }
}
