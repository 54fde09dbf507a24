/// Why a helper failed, with the line of the test that called it.
///
/// Swift Testing reports a thrown error at the test function, not at the call; so the location is part of the text.
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
