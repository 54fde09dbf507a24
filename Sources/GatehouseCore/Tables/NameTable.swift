/// The names of numbered entities of the directory, as replies show them and ready to be sent; also the index by name.
struct NameTable: Sendable {
  private var names = PagedArray<ContiguousArray<UInt8>>()
  private var index = SharedIndex()

  /// Adds the name of the next number, from 1.
  mutating func append(_ name: String) {
    names.append(ContiguousArray(name.utf8))
    index.insert(names.count, hash: SharedIndex.hash(of: name))
  }

  /// The number of a name, which must be in stored case.
  @inline(__always)
  func find(_ name: UnsafeRawBufferPointer) -> Int? {
    index.find(SharedIndex.hash(of: name)) { sameBytes(names.bytes(at: $0 - 1), name) }
  }

  /// A name, valid as long as this value lives.
  func bytes(of number: Int) -> UnsafeRawBufferPointer { names.bytes(at: number - 1) }
}

extension SharedIndex {
  @inline(__always)
  static func hash(of name: UnsafeRawBufferPointer) -> UInt32 {
    UInt32(truncatingIfNeeded: Words.hash(name))
  }

  static func hash(of name: String) -> UInt32 {
    var name = name
    return name.withUTF8 { hash(of: UnsafeRawBufferPointer($0)) }
  }

  static func hash(of user: UserID) -> UInt32 {
    UInt32(truncatingIfNeeded: (user.raw &* 0x9e37_79b9_7f4a_7c15) >> 32)
  }
}
