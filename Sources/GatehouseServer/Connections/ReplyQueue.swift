import DequeModule
import GatehouseCore
import NIOCore

/// The replies of one connection that may not leave yet, in command order.
///
/// A reply waits for two things: that it is there (a command that runs elsewhere), and that the log is
/// durable through what it shows. Replies of one read that wait for the log are one slot: they were
/// written together and become durable together.
struct ReplyQueue {
  private enum Slot {
    case replies(ByteBuffer, horizon: LSN)
    /// A command that runs on another lane, or over several owners.
    case awaited(UInt64)
  }

  private var slots: Deque<Slot> = []
  /// Whether the last slot belongs to the read at hand and takes further replies.
  private var isOpen = false
  private var nextTicket: UInt64 = 0
  /// Commands that are under way elsewhere.
  private(set) var awaited = 0
  /// Bytes that wait.
  private(set) var pendingBytes = 0

  init() {}

  var isEmpty: Bool { slots.isEmpty }

  /// The LSN that the first waiting replies wait for; nil where they wait for a command, or nothing waits.
  var nextHorizon: LSN? {
    if case .replies(_, let horizon) = slots.first { horizon } else { nil }
  }

  /// Appends one reply by `encode`; straight to `ready` where nothing holds it back.
  @inline(__always)
  mutating func add(
    horizon: LSN, durable: LSN, ready: inout ByteBuffer, _ encode: (inout ByteBuffer) -> Void
  ) {
    if slots.isEmpty, horizon <= durable { return encode(&ready) }
    enqueue(horizon, encode)
  }

  private mutating func enqueue(_ horizon: LSN, _ encode: (inout ByteBuffer) -> Void) {
    if isOpen, case .replies(var buffer, let before) = slots.last {
      // Taken out while it is written to, so that it is not copied.
      slots.removeLast()
      let count = buffer.readableBytes
      encode(&buffer)
      pendingBytes += buffer.readableBytes - count
      slots.append(.replies(buffer, horizon: max(before, horizon)))
      return
    }
    var buffer = ByteBuffer()
    encode(&buffer)
    pendingBytes += buffer.readableBytes
    slots.append(.replies(buffer, horizon: horizon))
    isOpen = true
  }

  /// Keeps a place for a reply that comes later, and returns its ticket.
  mutating func reserve() -> UInt64 {
    nextTicket += 1
    slots.append(.awaited(nextTicket))
    isOpen = false
    awaited += 1
    return nextTicket
  }

  /// Puts a reply in its place.
  mutating func fill(_ ticket: UInt64, _ reply: ByteBuffer, horizon: LSN) {
    guard
      let place = slots.firstIndex(where: {
        if case .awaited(let found) = $0 { found == ticket } else { false }
      })
    else { return }
    awaited -= 1
    pendingBytes += reply.readableBytes
    slots[place] = .replies(reply, horizon: horizon)
  }

  /// What is added from here on belongs to another read.
  mutating func endRead() { isOpen = false }

  /// Moves what may leave to `ready`.
  mutating func release(durable: LSN, into ready: inout ByteBuffer) {
    while case .replies(var buffer, let horizon) = slots.first, horizon <= durable {
      slots.removeFirst()
      pendingBytes -= buffer.readableBytes
      if ready.readableBytes == 0 { ready = buffer } else { ready.writeBuffer(&buffer) }
    }
    if slots.isEmpty { isOpen = false }
  }
}
