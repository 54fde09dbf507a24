/// How much a client may send in one request. Whatever exceeds a limit is a protocol error that
/// closes the connection, because the rest of such a request cannot be told from the next one.
package struct WireLimits: Sendable, Equatable {
  /// The longest inline line in bytes, without its LF.
  package var inlineBytes = 64 * 1024
  /// The most words a request may have.
  package var words = 65_536
  /// The longest word in bytes.
  package var wordBytes = 1024 * 1024
  /// The longest request in bytes, its framing included. Ranges are 32 bits wide, so this stays below 2 GiB.
  package var requestBytes = 64 * 1024 * 1024
  /// The most words an array request may have before the connection has authenticated.
  package var unauthenticatedWords = 10
  /// The longest word of an array request in bytes before the connection has authenticated.
  package var unauthenticatedWordBytes = 16_384

  package init() {}

  package static let standard = WireLimits()
}
