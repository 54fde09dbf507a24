/// Where a connection takes its requests from.
protocol RequestSource: Sendable {
  /// Appends the next request to `output` and returns its kind; nil if there are no more.
  ///
  /// - Parameter closing: the test is over, and only what was begun is to be ended.
  mutating func next(_ output: inout ByteQueue, closing: Bool) -> Work?

  /// Takes the answer to one request, in the order of the requests.
  mutating func receive(_ reply: UnsafeRawBufferPointer, of work: Work)
}

extension RequestSource {
  mutating func receive(_ reply: UnsafeRawBufferPointer, of work: Work) {}
}
