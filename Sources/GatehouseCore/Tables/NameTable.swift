/// The names of what the directory has by number, as replies show them and ready to be sent. Things are found by them, too.
struct NameTable: Sendable {
  private var names = PagedArray<ContiguousArray<UInt8>>()
  private var index = SharedIndex()

  /// Names the next number, from 1.
  mutating func append(_ name: String) {
    names.append(ContiguousArray(name.utf8))
    index.insert(names.count, hash: SharedIndex.hash(of: name))
  }

  /// The number of a name, in the case that names are kept in.
  @inline(__always)
  func find(_ name: UnsafeRawBufferPointer) -> Int? {
    index.find(SharedIndex.hash(of: name)) { sameBytes(names.bytes(at: $0 - 1), name) }
  }

  /// A name, good as long as this value is kept.
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
