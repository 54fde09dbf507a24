import DequeModule
import GatehouseCore
import NIOCore

/// The replies of one connection that may not leave yet, in command order.
///
/// A reply waits for two things: that it is there (a command that runs elsewhere), and that the log is
/// durable through what it shows. Replies of one read that follow each other are one slot: they were
/// written together and become durable together.
struct ReplyQueue {
  private enum Slot {
    /// So many bytes of `kept`, which are so many replies.
    case kept(Int, replies: Int, horizon: LSN)
    /// A reply that came from elsewhere.
    case arrived(ByteBuffer, horizon: LSN)
    /// A command that runs on another lane, or over several owners.
    case awaited
  }

  private var slots: Deque<Slot> = []
  /// The bytes of all `kept` slots, one after the other.
  private var kept = ByteBuffer()
  /// Whether the last slot belongs to the read at hand and takes further replies.
  private var isOpen = false
  /// How many slots there were before the first: a ticket is the number of its slot.
  private var released: UInt64 = 0
  /// Commands that are under way elsewhere.
  private(set) var awaited = 0
  /// Bytes that wait.
  private(set) var pendingBytes = 0

  init() {}

  var isEmpty: Bool { slots.isEmpty }

  /// How many replies, or runs of replies, wait.
  var count: Int { slots.count }

  /// The LSN that the first waiting replies wait for; nil where they wait for a command, or nothing waits.
  var nextHorizon: LSN? {
    switch slots.first {
    case .kept(_, _, let horizon), .arrived(_, let horizon): horizon
    case .awaited, nil: nil
    }
  }

  /// Appends one reply by `encode`.
  mutating func add(horizon: LSN, _ encode: (inout ByteBuffer) -> Void) {
    let before = kept.readableBytes
    encode(&kept)
    let count = kept.readableBytes - before
    pendingBytes += count
    if isOpen, case .kept(let others, let replies, let earlier) = slots.last {
      slots[slots.count - 1] = .kept(others + count, replies: replies + 1, horizon: max(earlier, horizon))
    } else {
      slots.append(.kept(count, replies: 1, horizon: horizon))
      isOpen = true
    }
  }

  /// Keeps a place for a reply that comes later, and returns its ticket.
  mutating func reserve() -> UInt64 {
    slots.append(.awaited)
    isOpen = false
    awaited += 1
    return released + UInt64(slots.count) - 1
  }

  /// Appends a reply that is there already and waits for nothing but its turn.
  mutating func add(shared reply: ByteBuffer) {
    slots.append(.arrived(reply, horizon: 0))
    isOpen = false
    pendingBytes += reply.readableBytes
  }

  /// Puts a reply in its place.
  mutating func fill(_ ticket: UInt64, _ reply: ByteBuffer, horizon: LSN) {
    let place = Int(ticket - released)
    guard case .awaited = slots[place] else { preconditionFailure("two answers to one command") }
    awaited -= 1
    pendingBytes += reply.readableBytes
    slots[place] = .arrived(reply, horizon: horizon)
  }

  /// What is added from here on belongs to another read.
  mutating func endRead() { isOpen = false }

  /// Moves what may leave to `ready`.
  mutating func release(durable: LSN, into ready: inout RawBuffer) {
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
    if slots.isEmpty { isOpen = false }
    if kept.readableBytes == 0 { giveBack() } else { kept.discardReadBytes() }
  }

  /// Puts `refusal` in place of each reply that waits for more than is durable: after the log has failed it would wait
  /// for ever.
  mutating func refuse(beyond durable: LSN, with refusal: ByteBuffer) {
    var place = 0
    var rest = ByteBuffer()
    for index in slots.indices {
      switch slots[index] {
      case .kept(let count, let replies, let horizon):
        let bytes = kept.getSlice(at: kept.readerIndex + place, length: count)!
        place += count
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
    isOpen = false
  }

  /// Empties the store, and keeps no more memory than many connections can have at a time.
  private mutating func giveBack() {
    if kept.capacity > 16 * 1024 { kept = ByteBuffer() } else { kept.clear() }
  }
}

extension RawBuffer {
  mutating func append(_ buffer: ByteBuffer) { buffer.withUnsafeReadableBytes { append($0) } }
}
