import GatehouseStorage

/// Shows the progress of long work: a progress bar on a terminal, elsewhere one line per step.
final class ProgressMeter {
  enum Unit {
    case bytes
    case records
    case steps
  }

  private let isQuiet: Bool
  private let isWatched: Bool
  private var title = ""
  private var unit = Unit.bytes
  private var total: UInt64?
  private var done: UInt64 = 0
  private var drawn: ContinuousClock.Instant?

  private static let pause = Duration.milliseconds(100)
  private static let width = 24

  /// - Parameter isQuiet: whether to show nothing.
  init(isQuiet: Bool) {
    self.isQuiet = isQuiet
    isWatched = Console.messagesAreWatched
  }

  deinit { erase() }

  /// Begins a step, and ends the one before. Does nothing if it is the same step.
  /// - Parameter total: how much there is to do, if known.
  func begin(_ title: String, of total: UInt64? = nil, _ unit: Unit = .bytes) {
    guard title != self.title else { return }
    end()
    self.title = title
    self.total = total
    self.unit = unit
    done = 0
    drawn = nil
    draw()
  }

  func advance(by count: UInt64) { set(done + count) }

  func set(_ done: UInt64, of total: UInt64? = nil) {
    self.done = done
    if let total { self.total = total }
    draw()
  }

  /// Ends the step, and leaves its result on the screen.
  func end() {
    guard !title.isEmpty, !isQuiet else {
      title = ""
      return
    }
    erase()
    Console.message("\(title)\(done > 0 ? ": \(amount)" : "")")
    title = ""
  }

  private func draw() {
    guard isWatched, !isQuiet else { return }
    let now = ContinuousClock.now
    if let drawn, now - drawn < Self.pause { return }
    drawn = now
    Console.show("\r\u{1B}[K" + line)
  }

  /// Clears the line, so that something else can be written there; the next progress draws it again.
  func erase() {
    if isWatched, !isQuiet, drawn != nil { Console.show("\r\u{1B}[K") }
    drawn = nil
  }

  private var line: String {
    guard let total, total > 0 else { return "\(title)  \(amount)" }
    let share = min(1, Double(done) / Double(total))
    let filled = Int(share * Double(Self.width))
    let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: Self.width - filled)
    return "\(title)  \(bar) \(Int(share * 100)) %  \(amount)"
  }

  private var amount: String {
    switch unit {
    case .bytes: Figures.bytes(done)
    case .records: Figures.count(done, "record")
    case .steps: total.map { "\(done) of \($0)" } ?? "\(done)"
    }
  }
}

extension ProgressMeter {
  /// Shows the progress of a copy.
  func show(_ progress: CopyProgress, of size: FolderSize) {
    switch progress.part {
    case .search:
      begin("looking for the last record wanted", .records)
      return set(progress.done)
    case .snapshots: begin("copying snapshots", of: size.snapshots)
    case .log: begin("copying the log", of: size.log)
    case .archive: begin("copying the archive", of: size.archive)
    case .verification: begin("reading the copy back", .records)
    }
    advance(by: progress.done)
  }
}
