internal import struct GatehouseCore.RawBuffer
internal import Synchronization

/// A bounded queue of checked frames between the thread that reads and hashes and the one that decodes. It holds a few
/// chunks, so that neither thread runs far ahead or waits for every frame.
final class FramePipe: Sendable {
  /// Frames that are passed on together.
  final class Chunk: @unchecked Sendable {
    struct Frame {
      let header: FrameHeader
      let range: Range<Int>
    }

    // Only one thread has a chunk at a time; it changes hands under the pipe's lock.
    private var buffer = RawBuffer()
    private(set) var frames: [Frame] = []

    var bytes: UnsafeRawBufferPointer { buffer.bytes }

    func append(_ frame: LogFrame) {
      let start = buffer.count
      buffer.append(frame.stored)
      frames.append(Frame(header: frame.header, range: start..<buffer.count))
    }

    func removeAll() {
      buffer.removeAll()
      frames.removeAll(keepingCapacity: true)
    }
  }

  private struct State {
    var full: [Chunk] = []
    var empty: [Chunk] = []
    var isCancelled = false
    var result: Result<LogEnd, LogError>?
  }

  /// A chunk is passed on once it has this many bytes or frames.
  private static let chunkBytes = 512 << 10
  private static let chunkFrames = 1024
  /// How many chunks may wait.
  private static let depth = 4

  private let state = Mutex(State())
  private let filling = Mutex<Chunk>(Chunk())
  private let consumerBell = Doorbell()
  private let producerBell = Doorbell()

  /// The producer's result, once `pop` has returned nil.
  var result: Result<LogEnd, LogError>? { state.withLock(\.result) }

  /// Adds a frame; blocks while the consumer is behind.
  /// - Returns: false once the consumer has cancelled.
  func push(_ frame: LogFrame) -> Bool {
    filling.withLock { chunk in
      chunk.append(frame)
      guard chunk.bytes.count >= Self.chunkBytes || chunk.frames.count >= Self.chunkFrames else { return true }
      guard let empty = send(chunk) else { return false }
      chunk = empty
      return true
    }
  }

  /// Sends the remaining frames and ends the pipe.
  func finish(_ result: Result<LogEnd, LogError>) {
    filling.withLock { chunk in if !chunk.frames.isEmpty { _ = send(chunk) } }
    state.withLock { $0.result = result }
    consumerBell.ring()
  }

  private func send(_ chunk: Chunk) -> Chunk? {
    while true {
      let (isSent, isCancelled) = state.withLock { state in
        guard state.full.count < Self.depth, !state.isCancelled else { return (false, state.isCancelled) }
        state.full.append(chunk)
        return (true, false)
      }
      if isCancelled { return nil }
      if isSent { break }
      producerBell.wait()
    }
    consumerBell.ring()
    return state.withLock { $0.empty.popLast() } ?? Chunk()
  }

  /// The next chunk; nil at the end, when `result` is set.
  func pop() -> Chunk? {
    while true {
      let (chunk, isFinished) = state.withLock { state -> (Chunk?, Bool) in
        guard state.full.isEmpty else { return (state.full.removeFirst(), false) }
        return (nil, state.result != nil)
      }
      if let chunk {
        producerBell.ring()
        return chunk
      }
      if isFinished { return nil }
      consumerBell.wait()
    }
  }

  /// Gives a chunk back that was worked through.
  func recycle(_ chunk: Chunk) {
    chunk.removeAll()
    state.withLock { $0.empty.append(chunk) }
  }

  /// Makes the producer stop, if it is still working.
  func cancel() {
    state.withLock { $0.isCancelled = true }
    producerBell.ring()
  }
}
