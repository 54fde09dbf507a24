/// Whether a concurrent history is linearizable: whether it could have come from a sequence of calls, each of which
/// takes effect at one moment between its start and its end.
///
/// The search is that of Wing and Gong with Lowe's cache, as in Porcupine: it removes a possible next call from the
/// history if the object would have answered so, and at a dead end puts the last one back. A set of calls that led to
/// the same state before is not tried again.
///
/// Linearizability is local: a history of several independent objects is linearizable if each object's is. So large
/// histories are checked object by object.
package struct Linearizability<Object: SequentialObject> {
  package typealias Entry = HistoryEntry<Object.Call, Object.Answer>

  package enum Verdict {
    case linearizable
    /// The longest sequence that the search found, and what could not follow.
    case impossible(String)
    /// The search was abandoned.
    case undecided
  }

  /// More sets of calls than this are not searched.
  private static var mostSets: Int { 3_000_000 }

  private let object: Object
  private let history: [Entry]

  /// Starts and ends in order, as a linked list from which calls are removed and put back. Index 0 is its head; call
  /// `n` starts at `2n + 1` and ends at `2n + 2`.
  private var nextPlace: [Int]
  private var lastPlace: [Int]

  private struct Moment: Comparable {
    let time: UInt64
    let isEnd: Bool
    let place: Int

    /// At equal times a start comes before an end: the two calls may have overlapped.
    static func < (one: Moment, other: Moment) -> Bool {
      one.time == other.time ? !one.isEnd && other.isEnd : one.time < other.time
    }
  }

  package init(of history: [Entry], object: Object) {
    self.object = object
    self.history = history
    var moments: [Moment] = []
    for (index, entry) in history.enumerated() {
      moments.append(Moment(time: entry.began, isEnd: false, place: 2 * index + 1))
      moments.append(Moment(time: entry.ended, isEnd: true, place: 2 * index + 2))
    }
    let places = moments.sorted().map(\.place)
    nextPlace = Array(repeating: 0, count: 2 * history.count + 1)
    lastPlace = nextPlace
    for (place, next) in zip([0] + places, places + [0]) {
      nextPlace[place] = next
      lastPlace[next] = place
    }
  }

  private struct Known: Hashable {
    let done: [UInt64]
    let state: Object.State
  }

  package mutating func check() -> Verdict {
    var state = object.initial
    var done = [UInt64](repeating: 0, count: (history.count + 63) / 64)
    var known: Set<Known> = []
    var taken: [(call: Int, before: Object.State)] = []
    var (farthest, farthestText) = (-1, "")
    var place = nextPlace[0]
    while place != 0 {
      let index = (place - 1) / 2
      if !place.isMultiple(of: 2) {
        if let after = object.next(state, history[index].call, history[index].answer) {
          done[index / 64] |= 1 << UInt64(index % 64)
          if known.insert(Known(done: done, state: after)).inserted {
            guard known.count < Self.mostSets else { return .undecided }
            taken.append((index, state))
            state = after
            takeOff(index)
            place = nextPlace[0]
            continue
          }
          done[index / 64] &= ~(1 << UInt64(index % 64))
        }
        place = nextPlace[place]
      } else {
        // A call has ended but could not be removed: an earlier choice was wrong.
        if taken.count > farthest { (farthest, farthestText) = (taken.count, text(taken.map(\.call), state)) }
        guard let (index, before) = taken.popLast() else { return .impossible(farthestText) }
        state = before
        done[index / 64] &= ~(1 << UInt64(index % 64))
        putBack(index)
        place = nextPlace[2 * index + 1]
      }
    }
    return .linearizable
  }

  private mutating func takeOff(_ index: Int) {
    for place in [2 * index + 1, 2 * index + 2] {
      nextPlace[lastPlace[place]] = nextPlace[place]
      lastPlace[nextPlace[place]] = lastPlace[place]
    }
  }

  private mutating func putBack(_ index: Int) {
    for place in [2 * index + 2, 2 * index + 1] {
      nextPlace[lastPlace[place]] = place
      lastPlace[nextPlace[place]] = place
    }
  }

  /// The last calls of a sequence, the state they led to, and the calls of which none can be next.
  private func text(_ way: [Int], _ state: Object.State) -> String {
    var open: [Int] = []
    var place = nextPlace[0]
    while !place.isMultiple(of: 2) {
      open.append((place - 1) / 2)
      place = nextPlace[place]
    }
    func lines(_ calls: some Sequence<Int>) -> [String] {
      calls.map { "  \(history[$0].began)–\(history[$0].ended) \(history[$0].call) → \(history[$0].answer)" }
    }
    return
      (["after \(way.count) of \(history.count) calls, at last"] + lines(way.suffix(8)) + ["in \(state) none fits of"]
      + lines(open)).joined(separator: "\n")
  }
}
