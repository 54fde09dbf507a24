/// Where the records of a log come from: a log that this process will continue (`Recovery`), or one that another
/// process is writing (`FolderTail`). State is brought up to date only through this protocol (`Restoration`): once at a
/// start, or repeatedly by a follower.
package protocol LogSource {
  /// What is known once all current records were handed out.
  associatedtype End

  /// Hands out the durable records that were not handed out before, in order and without a gap.
  /// - Parameter handle: receives a record with its LSN; the bytes are valid during the call only.
  /// - Throws: errors of reading or of `handle`. All records handed out before were sound and in order.
  mutating func read(_ handle: (UInt64, UnsafeRawBufferPointer) throws -> Void) throws -> End
}
