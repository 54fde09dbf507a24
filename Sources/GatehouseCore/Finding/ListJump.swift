/// The way to a position far down a sorted list, in a few rounds over all partitions.
///
/// In each round every partition counts its rows in the stretch of the list that is left, and samples some of them at
/// equal distances. The samples tell one place that surely comes before the position and another that surely comes behind
/// it, and the stretch between is the next round's: of a million rows a sixteenth, then some thousand, of which every row
/// is a sample. The rows of the first stretch are looked at as bits of the indexes, in the order that they have; only
/// those of samples are read.
struct ListJump: Sendable {
  private struct Sample {
    let place: ListPlace
    let partition: Int
    /// How many rows of the partition there are from the sample before to this one.
    let weight: Int
  }

  /// How many are passed over one by one: to find a nearer place costs more.
  static let near = 1024
  private static let samplesOfPartition = 32
  /// How many entries are read before a partition is left for a moment: as long as a look at a slice of rows in doubt takes,
  /// which may come before.
  private static let entriesOfVisit = 2048
  /// Two rounds divide by ten at least. It is only a bound, for a list that changes all the time.
  private static let mostRounds = 16

  /// All rows up to here are passed over.
  private(set) var base: ListPlace?
  /// How many are to be passed over behind it.
  private(set) var offset: Int
  /// Whether the indexes do not tell which rows are wanted.
  private(set) var isGivenUp = false
  /// The stretch in which the position is: behind `low`, and not behind `high`.
  private var low: ListPlace?
  private var high: ListPlace?
  private var rounds = 0

  /// How many are behind `base` and not behind `low`.
  private var passed = 0
  private var samples: [Sample] = []
  /// How many rows of each partition come behind its last sample.
  private var tails: [Int: Int] = [:]
  /// The distance of the samples of the partition that is being read, and how far the last of them is.
  private var step = 1
  private var distance = 0

  init(from base: ListPlace?, over offset: Int) {
    self.base = base
    self.offset = offset
    low = base
  }

  mutating func giveUp() { isGivenUp = true }

  // MARK: In a partition

  /// Reads some of a partition's rows.
  ///
  /// - Parameters:
  ///   - last: where it was left; nil at its start.
  ///   - wanted: the rows that are listed; nil for all.
  /// - Returns: where it is left, if there is more.
  mutating func read<Row: ListedPerson>(
    _ rows: OrderedRows<Row>, by order: PeopleOrder, _ wanted: SerialBits?, in cell: HeldPartition,
    after last: ListPlace?
  ) -> ListPlace? {
    guard let index = cell.state.people.orders[order] else { return nil }
    let begin = rows.position(behind: last ?? base, in: index, order, cell)
    let middle = rows.position(behind: low, in: index, order, cell)
    let end = high.map { rows.position(behind: $0, in: index, order, cell) } ?? index.count
    if last == nil {
      step = max(1, (end - middle) / Self.samplesOfPartition)
      distance = 0
    }
    let stop = min(end, begin + Self.entriesOfVisit)
    var position = begin
    while position < stop {
      let contact = rows.entry(at: position, of: index).serial
      position += 1
      guard let row = Row.row(ofContact: contact, in: cell), wanted?.contains(row) ?? true else { continue }
      guard position > middle else {
        passed += 1
        continue
      }
      distance += 1
      guard distance == step else { continue }
      samples.append(
        Sample(place: Self.place(of: contact, row, rows, order, cell), partition: cell.index, weight: step))
      distance = 0
    }
    guard position < end, position > begin else {
      tails[cell.index] = distance
      return nil
    }
    let contact = rows.entry(at: position - 1, of: index).serial
    return Self.place(of: contact, Row.row(ofContact: contact, in: cell) ?? 0, rows, order, cell)
  }

  private static func place<Row: ListedPerson>(
    of contact: Int, _ row: Int, _ rows: OrderedRows<Row>, _ order: PeopleOrder, _ cell: HeldPartition
  ) -> ListPlace {
    let id: Identifier<Row> = cell.state.id(row)
    return ListPlace(key: cell.state.people.sortKey(ofContact: contact, in: order), id: id.raw)
  }

  // MARK: When all partitions were read

  /// Narrows the stretch.
  ///
  /// - Parameter isBefore: the order of the list.
  /// - Returns: whether another round is needed to come near.
  mutating func endRound(_ isBefore: (ListPlace, ListPlace) -> Bool) -> Bool {
    guard !isGivenUp else { return false }
    base = low
    offset = max(0, offset - passed)
    passed = 0
    rounds += 1
    guard offset > Self.near, rounds < Self.mostRounds else { return false }
    return narrow(isBefore)
  }

  private mutating func narrow(_ isBefore: (ListPlace, ListPlace) -> Bool) -> Bool {
    let sorted = samples.sorted { isBefore($0.place, $1.place) }
    var next: [Int: [Int]] = [:]
    for sample in samples { next[sample.partition, default: []].append(sample.weight) }
    // What may be before a place besides the samples: the rows between it and the next sample of each partition.
    var unknown: [Int: Int] = [:]
    for (partition, tail) in tails { unknown[partition] = next[partition]?.first.map { $0 - 1 } ?? tail }
    var mostUnknown = unknown.values.reduce(0, +)
    var taken: [Int: Int] = [:]
    var counted = 0
    var (isNearer, hasEnd) = (false, false)
    for sample in sorted {
      counted += sample.weight
      let number = taken[sample.partition, default: 0] + 1
      taken[sample.partition] = number
      mostUnknown -= unknown[sample.partition] ?? 0
      if counted + mostUnknown <= offset {
        low = sample.place
        isNearer = true
      }
      if counted > offset {
        high = sample.place
        hasEnd = true
        break
      }
      let weights = next[sample.partition] ?? []
      unknown[sample.partition] = number < weights.count ? weights[number] - 1 : tails[sample.partition] ?? 0
      mostUnknown += unknown[sample.partition] ?? 0
    }
    samples = []
    tails = [:]
    return isNearer || hasEnd
  }
}
