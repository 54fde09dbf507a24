import Glibc
import NIOCore

/// A connection's socket, to send on without the channel's queue, promise and pipeline, which cost a twelfth of a
/// lane's time where each reply is a write of its own. What the kernel does not take at once goes through the channel,
/// and while that holds anything, so does all that follows.
struct DirectSocket {
  private(set) var descriptor: NIOBSDSocket.Handle?
  /// Bytes that the channel has yet to send.
  private(set) var queued = 0

  init() {}

  /// Learns the socket of a channel; without one, as in a channel of a test, everything goes through the channel.
  mutating func open(_ context: ChannelHandlerContext) {
    descriptor = try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable { (handle: NIOBSDSocket.Handle) in
      handle
    }
  }

  /// To be called before the channel closes it, or as soon as it has: its number may be another file's from then on.
  /// The first that is heard of a channel that closes by itself may be that a queued write has failed.
  mutating func close() { descriptor = nil }

  /// Sends what the kernel takes now; what is left of the bytes is the channel's to send, an error its to find.
  mutating func send(_ bytes: inout ByteBuffer) {
    guard let descriptor, queued == 0 else { return }
    let sent = bytes.withUnsafeReadableBytes {
      Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
    }
    if sent > 0 { bytes.moveReaderIndex(forwardBy: sent) }
  }

  /// Notes what the channel was given to send.
  mutating func noteQueued(_ count: Int) { queued += count }

  /// Notes what the channel has sent, or never will.
  mutating func noteFinished(_ count: Int, _ result: Result<Void, any Error>) {
    queued -= count
    if case .failure = result { close() }
  }
}
