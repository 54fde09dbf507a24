import DequeModule
import NIOCore

/// Replies that a connection's transport has not taken yet, in chunks.
struct Outbox {
  private struct Chunk {
    var bytes: ByteBuffer
    /// Whether the bytes belong to a reply shared by many connections, which costs this one no memory.
    let isShared: Bool
  }

  /// The size of one chunk. A power of two, because the buffer's allocator rounds up to one.
  private static let chunkBytes = 128 * 1024

  private var chunks: Deque<Chunk> = []
  /// Bytes that wait.
  private(set) var waiting = 0
  /// How many of them are those of shared replies.
  private var shared = 0

  init() {}

  @inline(__always)
  var isEmpty: Bool { waiting == 0 }

  /// Bytes of memory that the waiting replies take, without shared ones.
  var heldBytes: Int { waiting - shared }

  /// Drops what waits.
  mutating func removeAll() { self = Outbox() }

  // MARK: Sending

  /// Sends as much as the transport takes now, and keeps a copy of the rest.
  @inline(__always)
  mutating func send(_ bytes: UnsafeRawBufferPointer, over transport: any Transport) {
    let sent = isEmpty ? transport.send(bytes) : 0
    if sent < bytes.count { keep(UnsafeRawBufferPointer(rebasing: bytes[sent...])) }
  }

  /// The same for a reply shared by many connections: the rest is kept without a copy.
  mutating func send(shared reply: ByteBuffer, over transport: any Transport) {
    var reply = reply
    if isEmpty { Self.send(&reply, over: transport) }
    guard reply.readableBytes > 0 else { return }
    chunks.append(Chunk(bytes: reply, isShared: true))
    waiting += reply.readableBytes
    shared += reply.readableBytes
  }

  /// Sends as much of the waiting bytes as the transport takes now, up to about `limit` bytes.
  mutating func sendWaiting(limit: Int, over transport: any Transport) {
    var sent = 0
    while sent < limit, let first = chunks.first {
      let before = first.bytes.readableBytes
      Self.send(&chunks[0].bytes, over: transport)
      let after = chunks[0].bytes.readableBytes
      waiting -= before - after
      if first.isShared { shared -= before - after }
      if after > 0 { return }
      chunks.removeFirst()
      sent += before
    }
  }

  private static func send(_ bytes: inout ByteBuffer, over transport: any Transport) {
    bytes.moveReaderIndex(forwardBy: bytes.withUnsafeReadableBytes { transport.send($0) })
  }

  /// Copies bytes into chunks of one size, so that hardly more memory is allocated than bytes wait.
  @inline(never)
  private mutating func keep(_ bytes: UnsafeRawBufferPointer) {
    waiting += bytes.count
    var rest = bytes
    while !rest.isEmpty {
      let room = chunks.last.map { $0.isShared ? 0 : Self.chunkBytes - $0.bytes.writerIndex } ?? 0
      if room == 0 {
        let size = chunks.isEmpty && rest.count < Self.chunkBytes ? rest.count : Self.chunkBytes
        chunks.append(Chunk(bytes: ByteBufferAllocator().buffer(capacity: size), isShared: false))
        continue
      }
      let count = min(room, rest.count)
      chunks[chunks.count - 1].bytes.writeBytes(UnsafeRawBufferPointer(rebasing: rest[..<count]))
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
  }
}
