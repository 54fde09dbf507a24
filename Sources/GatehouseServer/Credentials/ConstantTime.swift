/// Comparing without telling by the time where the difference is.
enum ConstantTime {
  static func areEqual(_ left: UnsafeRawBufferPointer, _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    var difference: UInt8 = 0
    for index in right.indices { difference |= left[index] ^ right[index] }
    return difference == 0
  }
}
