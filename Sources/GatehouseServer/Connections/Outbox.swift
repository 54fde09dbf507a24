import DequeModule
import Glibc
import NIOCore

/// Replies on their way to a connection's socket, and what of them the kernel has not taken yet.
///
/// Replies are sent straight on the socket, without the channel's queue, promise and pipeline, which cost a twelfth of a
/// lane's time where each reply is a write of its own. What the kernel does not take waits here in chunks. The channel is
/// given one chunk at a time: it learns from the event loop when the kernel takes more, and until that chunk has left
/// nothing else is sent.
struct Outbox {
  private struct Chunk {
    var bytes: ByteBuffer
    /// Whether the bytes belong to a reply that many share, which takes no memory here.
    let isShared: Bool
  }

  /// How much of what waits is one allocation. A power of two, as that is what a buffer takes.
  private static let chunkBytes = 128 * 1024

  private(set) var descriptor: NIOBSDSocket.Handle?
  private var chunks: Deque<Chunk> = []
  /// The bytes of the chunk that the channel has; nil where it has none.
  private var inChannel: (count: Int, isShared: Bool)?
  /// Bytes that the kernel has not taken.
  private(set) var waiting = 0
  /// How many of them are those of shared replies.
  private var shared = 0

  init() {}

  var isEmpty: Bool { waiting == 0 }

  /// Bytes of memory that what waits takes.
  var heldBytes: Int { waiting - shared }

  /// Learns the socket of a channel; without one, as in a channel of a test, everything goes through the channel.
  mutating func open(_ context: ChannelHandlerContext) {
    descriptor = try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable { (handle: NIOBSDSocket.Handle) in
      handle
    }
  }

  /// Drops what waits and forgets the socket. To be called before the channel closes it, or as soon as it has: its number
  /// may be another file's from then on. The first that is heard of a channel that closes by itself may be that a write
  /// has failed.
  mutating func close() {
    descriptor = nil
    chunks = []
    waiting = 0
    shared = 0
    inChannel = nil
  }

  /// Changes whenever the kernel has taken something or the client's system has acknowledged something.
  var progressMark: Int {
    var unacknowledged: Int32 = 0
    if let descriptor { _ = ioctl(descriptor, UInt(TIOCOUTQ), &unacknowledged) }
    return waiting &* 31 &+ Int(unacknowledged)
  }

  // MARK: Sending

  /// Sends what the kernel takes now and keeps a copy of the rest; `bytes` are empty then.
  mutating func send(_ bytes: inout ByteBuffer) {
    if isEmpty { sendNow(&bytes) }
    if bytes.readableBytes > 0 { keep(&bytes) }
    bytes.clear()
  }

  /// Sends what the kernel takes now of a reply that many share, and keeps the rest without copying it.
  mutating func send(shared bytes: ByteBuffer) {
    var bytes = bytes
    if isEmpty { sendNow(&bytes) }
    guard bytes.readableBytes > 0 else { return }
    chunks.append(Chunk(bytes: bytes, isShared: true))
    waiting += bytes.readableBytes
    shared += bytes.readableBytes
  }

  private func sendNow(_ bytes: inout ByteBuffer) {
    guard let descriptor else { return }
    let sent = bytes.withUnsafeReadableBytes {
      Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
    }
    // An error is the channel's to find.
    if sent > 0 { bytes.moveReaderIndex(forwardBy: sent) }
  }

  /// Copies bytes into chunks of one size, so that what waits takes hardly more memory than it has bytes.
  private mutating func keep(_ bytes: inout ByteBuffer) {
    waiting += bytes.readableBytes
    while bytes.readableBytes > 0 {
      let room = chunks.last.map { $0.isShared ? 0 : Self.chunkBytes - $0.bytes.writerIndex } ?? 0
      if room == 0 {
        let size = chunks.isEmpty && bytes.readableBytes < Self.chunkBytes ? bytes.readableBytes : Self.chunkBytes
        chunks.append(Chunk(bytes: ByteBufferAllocator().buffer(capacity: size), isShared: false))
        continue
      }
      var part = bytes.readSlice(length: min(room, bytes.readableBytes))!
      chunks[chunks.count - 1].bytes.writeBuffer(&part)
    }
  }

  /// Sends what the kernel takes now of what waits, up to about `limit` bytes, while the channel has nothing to send.
  ///
  /// - Returns: whether the kernel would perhaps take more.
  mutating func sendWaiting(limit: Int) -> Bool {
    guard inChannel == nil, descriptor != nil else { return false }
    var sent = 0
    while let first = chunks.first {
      guard sent < limit else { return true }
      let before = first.bytes.readableBytes
      sendNow(&chunks[0].bytes)
      let after = chunks[0].bytes.readableBytes
      note(before - after, first.isShared)
      sent += before - after
      if after > 0 { return false }
      chunks.removeFirst()
    }
    return false
  }

  private mutating func note(_ count: Int, _ isShared: Bool) {
    waiting -= count
    if isShared { shared -= count }
  }

  // MARK: The channel

  /// The chunk that is the channel's to send, if it has none.
  mutating func nextForChannel() -> ByteBuffer? {
    guard inChannel == nil, let chunk = chunks.popFirst() else { return nil }
    inChannel = (chunk.bytes.readableBytes, chunk.isShared)
    return chunk.bytes
  }

  /// Notes that the channel has sent its chunk, or never will.
  mutating func channelFinished(_ result: Result<Void, any Error>) {
    if let (count, isShared) = inChannel { note(count, isShared) }
    inChannel = nil
    if case .failure = result { close() }
  }
}
