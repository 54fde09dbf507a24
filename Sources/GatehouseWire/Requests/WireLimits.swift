/// How much a client may send. A request over a limit is a protocol error that closes the connection, because its end
/// is unknown.
public struct WireLimits: Sendable, Equatable {
  /// The longest inline line in bytes, without its LF.
  public var inlineBytes = 64 * 1024
  /// The most words a request may have.
  public var words = 65_536
  /// The longest word in bytes.
  public var wordBytes = 1024 * 1024
  /// The longest request in bytes, with its framing. Must stay below 2 GiB, because ranges are 32 bits wide.
  public var requestBytes = 64 * 1024 * 1024
  /// The most words an array request may have before the connection has authenticated.
  public var unauthenticatedWords = 10
  /// The longest word of an array request in bytes before the connection has authenticated.
  public var unauthenticatedWordBytes = 16_384

  /// The most commands that may wait between `MULTI` and `EXEC`.
  public var transactionCommands = 65_536
  /// The most bytes that their words may have together.
  public var transactionBytes = 16 * 1024 * 1024
  /// The most bytes that their replies may have together. They are kept until all commands are carried out.
  public var transactionReplyBytes = 64 * 1024 * 1024

  public init() {}

  public static let standard = WireLimits()
}
