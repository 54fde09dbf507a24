/// Where a running timer stands among those of its partition: the oldest first.
struct TimerPlace: Comparable, Sendable {
  let start: Milliseconds
  let key: TimerKey

  static func < (one: TimerPlace, other: TimerPlace) -> Bool {
    (one.start, one.key.user, one.key.workspace) < (other.start, other.key.user, other.key.workspace)
  }
}

/// Starting and stopping timers, which keeps them in order. A list of them goes on from the place where the one before
/// ended, and so looks at no more timers than it shows.
extension RecordedTime {
  mutating func start(_ timer: RunningTimer, _ key: TimerKey) {
    let before = timers.updateValue(timer, forKey: key)
    precondition(before == nil, "a second timer of one user in one workspace")
    let place = TimerPlace(start: timer.start, key: key)
    // Nearly all timers start now, which is after all others.
    if timerOrder.last.map({ $0 < place }) ?? true {
      timerOrder.append(place)
    } else {
      timerOrder.insert(place, at: rank { $0 < place })
    }
  }

  mutating func stop(_ key: TimerKey) -> RunningTimer? {
    guard let timer = timers.removeValue(forKey: key) else { return nil }
    let place = TimerPlace(start: timer.start, key: key)
    let gone = timerOrder.remove(at: rank { $0 < place })
    precondition(gone == place, "a timer that is in no order")
    return timer
  }

  /// How many timers come before a place.
  func rank(_ isBefore: (TimerPlace) -> Bool) -> Int {
    var (low, high) = (0, timerOrder.count)
    while low < high {
      let middle = (low + high) / 2
      if isBefore(timerOrder[middle]) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  mutating func orderTimers() {
    timerOrder = ContiguousArray(timers.map { TimerPlace(start: $1.start, key: $0) })
    timerOrder.sort()
  }
}
