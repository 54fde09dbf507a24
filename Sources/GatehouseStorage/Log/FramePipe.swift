internal import struct GatehouseCore.RawBuffer
internal import Synchronization

/// Checked frames on their way from the thread that reads and hashes to the one that decodes. It holds a few
/// chunks, so neither runs far ahead nor waits for each frame.
final class FramePipe: Sendable {
  /// Frames that travel together.
  final class Chunk: @unchecked Sendable {
    struct Frame {
      let header: FrameHeader
      let range: Range<Int>
    }

    // One thread has a chunk at a time; the pipe's lock hands it over.
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

  /// A chunk travels once it has so many bytes, or so many frames.
  private static let chunkBytes = 512 << 10
  private static let chunkFrames = 1024
  /// Chunks that may wait.
  private static let depth = 4

  private let state = Mutex(State())
  private let filling = Mutex<Chunk>(Chunk())
  private let consumerBell = Doorbell()
  private let producerBell = Doorbell()

  /// The producer's result, once `pop` has answered nil.
  var result: Result<LogEnd, LogError>? { state.withLock(\.result) }

  /// Adds a frame, waiting where the consumer is behind.
  /// - Returns: false once the consumer wants no more.
  func push(_ frame: LogFrame) -> Bool {
    filling.withLock { chunk in
      chunk.append(frame)
      guard chunk.bytes.count >= Self.chunkBytes || chunk.frames.count >= Self.chunkFrames else { return true }
      guard let empty = send(chunk) else { return false }
      chunk = empty
      return true
    }
  }

  /// Ends the pipe with what was not sent yet.
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

  /// The next chunk; nil at the end, when `result` is there.
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

  /// Makes the producer stop, where it still works.
  func cancel() {
    state.withLock { $0.isCancelled = true }
    producerBell.ring()
  }
}
