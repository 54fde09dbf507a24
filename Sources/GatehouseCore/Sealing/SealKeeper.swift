/// Seals what is said of people, and opens it again: authenticated encryption under the keys of a key store.
///
/// The core does no cryptography, as it does no hashing of its own; storage implements this (`KeyStore`).
public protocol SealKeeper: AnyObject, Sendable {
  /// Appends the sealed form of `plain` to `writer`. The same input gives the same bytes, so that equal states have
  /// equal snapshots.
  ///
  /// - Parameter bound: what the sealed form belongs to. It is not hidden, and `open` must be given the same.
  /// - Returns: false if one of the keys was destroyed; nothing is appended then.
  func seal(
    _ plain: UnsafeRawBufferPointer, under keys: SealedUnder, bound: UnsafeRawBufferPointer,
    into writer: inout ByteWriter
  ) -> Bool

  /// Appends what `sealed` hides to `writer`.
  ///
  /// - Returns: false if one of the keys was destroyed; nothing is appended then.
  /// - Throws: if it was not sealed under these keys, or belongs to something else.
  func open(
    _ sealed: UnsafeRawBufferPointer, under keys: SealedUnder, bound: UnsafeRawBufferPointer,
    into writer: inout ByteWriter
  ) throws(CodingError) -> Bool

  func isDestroyed(_ key: SealKey) -> Bool

  /// The destroyed keys of a kind and a partition, by serial number, from 1 to `last`.
  func destroyed(_ kind: SealKey.Kind, of partition: Int, through last: Int) -> [Int]
}
