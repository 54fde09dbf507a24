/// Where the records of a log come from: a log that this process is to go on with (`Recovery`), or one that another goes on
/// writing (`FolderTail`). State is brought up to a log through it alone (`Restoration`), once at a start, and again and
/// again where somebody follows.
package protocol LogSource {
  /// What is known once all was handed out that there is by now.
  associatedtype End

  /// Hands out the durable records that were not handed out before, in order and without a gap.
  /// - Parameter handle: takes a record with its LSN; the bytes are valid during the call alone.
  /// - Throws: what reading throws, or `handle`. What was handed out before was whole and in order.
  mutating func read(_ handle: (UInt64, UnsafeRawBufferPointer) throws -> Void) throws -> End
}
