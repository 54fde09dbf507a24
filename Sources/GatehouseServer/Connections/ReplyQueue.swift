import DequeModule
import GatehouseCore
import NIOCore

/// The replies of one connection that may not leave yet, in command order.
///
/// A reply waits until it exists (some commands are answered later), and until the log is durable through everything it
/// shows. Consecutive replies of one read share a slot: they were written together and become durable together.
struct ReplyQueue {
  private enum Slot {
    /// The next bytes of `kept`, holding this many replies.
    case kept(Int, replies: Int, horizon: LSN)
    /// A reply with bytes of its own: answered later, shared, or a refusal.
    case arrived(ByteBuffer, horizon: LSN)
    /// A command whose answer is not there yet.
    case awaited
  }

  private var slots: Deque<Slot> = []
  /// The bytes of all `kept` slots, in order.
  private var kept = ByteBuffer()
  /// Whether the last slot belongs to the current read and takes further replies.
  private var isOpen = false
  // The contents of the open slot, stored in it when it is closed: reading a slot back would retain and release it.
  private var openCount = 0
  private var openReplies = 0
  private var openHorizon: LSN = 0
  /// How many slots have left the queue. A ticket is the number of a slot, counted from the connection's first.
  private var released: UInt64 = 0
  /// How many commands are still to be answered.
  private(set) var awaited = 0
  /// Bytes that wait.
  private(set) var pendingBytes = 0

  init() {}

  var isEmpty: Bool { slots.isEmpty }

  /// How many slots wait.
  var count: Int { slots.count }

  /// The LSN that the first slot waits for; nil if it waits for its answer, or the queue is empty.
  var nextHorizon: LSN? {
    if isOpen, slots.count == 1 { return openHorizon }
    return switch slots.first {
    case .kept(_, _, let horizon), .arrived(_, let horizon): horizon
    case .awaited, nil: nil
    }
  }

  /// Appends one reply, which `encode` writes.
  mutating func add(horizon: LSN, _ encode: (inout ByteBuffer) -> Void) {
    let before = kept.readableBytes
    encode(&kept)
    let count = kept.readableBytes - before
    pendingBytes += count
    if !isOpen { open() }
    openCount += count
    openReplies += 1
    openHorizon = max(openHorizon, horizon)
  }

  private mutating func open() {
    slots.append(.kept(0, replies: 0, horizon: 0))
    isOpen = true
    openCount = 0
    openReplies = 0
    openHorizon = 0
  }

  private mutating func closeSlot() {
    guard isOpen else { return }
    slots[slots.count - 1] = .kept(openCount, replies: openReplies, horizon: openHorizon)
    isOpen = false
  }

  /// Reserves a slot for a reply that comes later, and returns its ticket.
  mutating func reserve() -> UInt64 {
    closeSlot()
    slots.append(.awaited)
    awaited += 1
    return released + UInt64(slots.count) - 1
  }

  /// Appends a finished reply that waits only for those before it.
  mutating func add(shared reply: ByteBuffer) {
    closeSlot()
    slots.append(.arrived(reply, horizon: 0))
    pendingBytes += reply.readableBytes
  }

  /// Fills a reserved slot with its reply.
  mutating func fill(_ ticket: UInt64, _ reply: ByteBuffer, horizon: LSN) {
    let index = Int(ticket - released)
    guard case .awaited = slots[index] else { preconditionFailure("two answers to one command") }
    awaited -= 1
    pendingBytes += reply.readableBytes
    slots[index] = .arrived(reply, horizon: horizon)
  }

  /// The read is over: further replies start a new slot.
  mutating func endRead() { closeSlot() }

  /// Moves all replies that may leave to `ready`.
  mutating func release(durable: LSN, into ready: inout RawBuffer) {
    closeSlot()
    let before = ready.count
    loop: while let slot = slots.first {
      switch slot {
      case .kept(let count, _, let horizon) where horizon <= durable:
        kept.readWithUnsafeReadableBytes { bytes in
          ready.append(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
          return count
        }
      case .arrived(let reply, let horizon) where horizon <= durable:
        ready.append(reply)
      default: break loop
      }
      slots.removeFirst()
      released += 1
    }
    pendingBytes -= ready.count - before
    if kept.readableBytes == 0 { giveBack() } else { kept.discardReadBytes() }
  }

  /// Replaces each reply that waits for more than `durable` with `refusal`: after the log has failed it would wait for
  /// ever.
  mutating func refuse(beyond durable: LSN, with refusal: ByteBuffer) {
    closeSlot()
    var offset = 0
    var rest = ByteBuffer()
    for index in slots.indices {
      switch slots[index] {
      case .kept(let count, let replies, let horizon):
        let bytes = kept.getSlice(at: kept.readerIndex + offset, length: count)!
        offset += count
        if horizon <= durable {
          rest.writeImmutableBuffer(bytes)
        } else {
          var refusals = ByteBuffer()
          for _ in 0..<replies { refusals.writeImmutableBuffer(refusal) }
          pendingBytes += refusals.readableBytes - count
          slots[index] = .arrived(refusals, horizon: 0)
        }
      case .arrived(let reply, let horizon) where horizon > durable:
        pendingBytes += refusal.readableBytes - reply.readableBytes
        slots[index] = .arrived(refusal, horizon: 0)
      case .arrived, .awaited: break
      }
    }
    kept = rest
  }

  /// Clears the buffer, and frees it if it is too large to keep on many connections at once.
  private mutating func giveBack() {
    if kept.capacity > 16 * 1024 { kept = ByteBuffer() } else { kept.clear() }
  }
}

extension RawBuffer {
  mutating func append(_ buffer: ByteBuffer) { buffer.withUnsafeReadableBytes { append($0) } }
}
