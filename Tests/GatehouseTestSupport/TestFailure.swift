/// Why a helper could not do what the test asked of it, with the line of the test that asked.
///
/// Swift Testing shows a thrown error at the test function, not at the call; so the place is part of the
/// text.
package struct TestFailure: Error, CustomStringConvertible {
  package let description: String

  package init(_ text: String, file: StaticString? = nil, line: UInt = 0) {
    if let file {
      description = "\(file):\(line): \(text)"
    } else {
      description = text
    }
  }
}
