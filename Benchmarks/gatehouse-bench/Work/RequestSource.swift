/// Where a connection takes its requests from.
protocol RequestSource: Sendable {
  /// Appends the next request to `output` and says which work it is; nil when there is none (any more).
  ///
  /// - Parameter closing: the test is over, and only what has been begun is to be ended.
  mutating func next(_ output: inout ByteQueue, closing: Bool) -> Work?

  /// Takes the good answer to one request, in the order the requests were made.
  mutating func receive(_ reply: UnsafeRawBufferPointer, of work: Work)
}

extension RequestSource {
  mutating func receive(_ reply: UnsafeRawBufferPointer, of work: Work) {}
}
