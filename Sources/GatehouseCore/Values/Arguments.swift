/// The range of one argument in the bytes of its request.
public struct ArgumentRange: Sendable, BitwiseCopyable, Equatable {
  public let offset: Int32
  public let count: Int32

  @inline(__always)
  public init(offset: Int, count: Int) {
    self.offset = Int32(offset)
    self.count = Int32(count)
  }
}

/// The words of one request, the command's name first: a view of a buffer that is valid only during the call it is
/// passed to.
public struct Arguments {
  public let base: UnsafeRawPointer
  public let ranges: UnsafePointer<ArgumentRange>
  public let count: Int

  /// - Parameters:
  ///   - base: the address of offset 0 of `ranges`.
  ///   - ranges: one range a word; must have memory even if empty.
  @inline(__always)
  public init(base: UnsafeRawPointer, ranges: UnsafeBufferPointer<ArgumentRange>) {
    self.base = base
    self.count = ranges.count
    self.ranges = ranges.baseAddress!
  }

  private init(base: UnsafeRawPointer, ranges: UnsafePointer<ArgumentRange>, count: Int) {
    self.base = base
    self.ranges = ranges
    self.count = count
  }

  private nonisolated(unsafe) static let noRanges = UnsafePointer(
    UnsafeMutablePointer<ArgumentRange>.allocate(capacity: 1))

  /// A request without words.
  public static var none: Arguments { Arguments(base: UnsafeRawPointer(noRanges), ranges: noRanges, count: 0) }

  /// The bytes of word `index`; it must be smaller than `count`.
  @inline(__always)
  public subscript(index: Int) -> UnsafeRawBufferPointer {
    precondition(index >= 0 && index < count)
    let range = ranges[index]
    return UnsafeRawBufferPointer(start: base + Int(range.offset), count: Int(range.count))
  }

  /// The words from `first` on, as a request.
  public func dropping(_ first: Int) -> Arguments {
    precondition(first <= count)
    return Arguments(base: base, ranges: ranges + first, count: count - first)
  }

  /// The bytes from the first word to the last, including the gaps between.
  public var extent: UnsafeRawBufferPointer {
    guard count > 0 else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    let (first, last) = (ranges[0], ranges[count - 1])
    return UnsafeRawBufferPointer(
      start: base + Int(first.offset), count: Int(last.offset) + Int(last.count) - Int(first.offset))
  }

  /// The range of a word in the `extent`.
  public func rangeInExtent(_ index: Int) -> ArgumentRange {
    ArgumentRange(offset: Int(ranges[index].offset - ranges[0].offset), count: Int(ranges[index].count))
  }

  public func string(_ index: Int) -> String { String(decoding: self[index], as: UTF8.self) }
}

/// A request that owns its bytes, for one that cannot run where it was read: its partition is held, or belongs to
/// another lane.
public struct OwnedArguments: Sendable {
  private let bytes: ContiguousArray<UInt8>
  private let ranges: ContiguousArray<ArgumentRange>

  public init(copying arguments: Arguments) {
    var ranges = ContiguousArray<ArgumentRange>()
    ranges.reserveCapacity(arguments.count)
    for index in 0..<arguments.count { ranges.append(arguments.rangeInExtent(index)) }
    bytes = ContiguousArray(arguments.extent)
    self.ranges = ranges
  }

  public init(_ words: [String]) {
    var bytes = ContiguousArray<UInt8>()
    var ranges = ContiguousArray<ArgumentRange>()
    for word in words {
      let start = bytes.count
      bytes.append(contentsOf: word.utf8)
      ranges.append(ArgumentRange(offset: start, count: bytes.count - start))
    }
    self.bytes = bytes
    self.ranges = ranges
  }

  public func withView<Result>(_ body: (Arguments) -> Result) -> Result {
    ranges.withUnsafeBufferPointer { ranges in
      bytes.withUnsafeBytes { bytes in
        body(
          Arguments(
            base: bytes.baseAddress ?? UnsafeRawPointer(ranges.baseAddress!), ranges: ranges))
      }
    }
  }
}
