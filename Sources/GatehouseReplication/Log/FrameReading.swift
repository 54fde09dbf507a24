internal import GatehouseStorage

/// Reads frames in pages.
struct FrameReading {
  let store: CheckedStore
  let keys: LogKeys

  /// A page is about this long. As long as frames are long, it has few of them.
  private static let pageBytes = 4 << 20
  private static let fewest = 4
  /// Bounds an answer: 64 frames of 1.25 MiB.
  private static let most = 64
  /// How many parts of a long frame are read at once.
  private static let partsAtOnce = 4

  struct Page {
    var frames: [SharedFrame]
    var tail: StoredTail
    /// The revision that the page was read as of.
    var revision: Int64
    /// Whether the tail comes after the page.
    var hasMore: Bool
  }

  /// The frames from an index on, whole and without a gap.
  ///
  /// - Parameter limit: how many; adapts itself to their length, for the next page.
  func page(from index: UInt64, limit: inout Int) async throws(SharedLogError) -> Page {
    let response: TransactionResponse
    do throws(EtcdError) {
      response = try await store.read([
        .range(keys.frames(from: index), limit: Int64(limit)), .get(keys.tail),
      ])
    } catch {
      throw SharedLogError(error)
    }
    guard let tail = try StoredTail(response.results[1].pairs.first, as: "tail") else { throw .missing }
    let pairs = response.results[0].pairs
    guard index <= tail.tail.index + 1 else {
      throw .damaged(
        """
        it ends with frame \(tail.tail.index), and frame \(index - 1) was acknowledged: etcd was restored from an older \
        copy. Stop all nodes, and begin the shared log anew from the node with the newest folder
        """)
    }
    var frames: [SharedFrame] = []
    // Whatever somebody else has put there is passed over.
    let own = pairs.compactMap { pair in keys.index(of: pair.key).map { ($0, pair) } }
    for (found, pair) in own {
      let expected = index + UInt64(frames.count)
      guard found == expected else { break }
      frames.append(try await frame(expected, pair))
    }
    if frames.count < own.count || (frames.isEmpty && index <= tail.tail.index) {
      let missing = index + UInt64(frames.count)
      let first = try await firstKept(tail)
      guard missing < first else {
        let strangers = pairs.filter { keys.index(of: $0.key) == nil }
        let names = strangers.map { String(decoding: $0.key, as: UTF8.self) }.joined(separator: ", ")
        let advice = strangers.isEmpty ? "" : "; delete the keys of something else: \(names)"
        throw .damaged("frame \(missing) is missing, though its tail is frame \(tail.tail.index)\(advice)")
      }
      throw .truncated(wanted: index, first: first)
    }
    limit = Self.limit(after: frames)
    return Page(
      frames: frames, tail: tail, revision: response.header.revision, hasMore: response.results[0].hasMore)
  }

  /// The first frame that is there; one more than the tail if none is. What `start` says may be older.
  func firstKept(_ tail: StoredTail) async throws(SharedLogError) -> UInt64 {
    do throws(EtcdError) {
      let found = try await store.read([.range(keys.frames(from: 0), limit: Int64(Self.fewest))]).results[0].pairs
      return found.lazy.compactMap { keys.index(of: $0.key) }.first ?? tail.tail.index + 1
    } catch {
      throw SharedLogError(error)
    }
  }

  static func limit(after frames: [SharedFrame]) -> Int {
    guard !frames.isEmpty else { return fewest }
    let average = max(1, frames.reduce(0) { $0 + $1.bytes.count } / frames.count)
    return min(max(pageBytes / average, fewest), most)
  }

  static let firstLimit = 16

  /// A frame from what is stored under its key.
  func frame(_ index: UInt64, _ pair: KeyValue) async throws(SharedLogError) -> SharedFrame {
    guard let stored = try StoredFrame(pair, as: "log/\(index)") else { throw .damaged("frame \(index) is missing") }
    guard stored.parts > 0 else { return SharedFrame(index: index, bytes: stored.frame) }
    let longest = LogFormat.headerSize + LogFormat.maximumBody + 4096
    guard stored.length <= UInt64(longest), stored.parts <= UInt64(longest / AppendQueue.longestValue + 1) else {
      throw .damaged("frame \(index) says that it has \(stored.length) bytes")
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Int(stored.length))
    for part in stride(from: 0, to: Int(stored.parts), by: Self.partsAtOnce) {
      let range = keys.parts(
        index, epoch: stored.partsEpoch, from: part, count: min(Self.partsAtOnce, Int(stored.parts) - part))
      do throws(EtcdError) {
        for pair in try await store.read([.range(range)]).results[0].pairs { bytes += pair.value }
      } catch {
        throw SharedLogError(error)
      }
    }
    guard bytes.count == Int(stored.length) else {
      // Its parts go before the frame does, if the log is truncated meanwhile.
      throw .unreachable("frame \(index) has \(bytes.count) bytes of \(stored.length)")
    }
    return SharedFrame(index: index, bytes: bytes)
  }
}
