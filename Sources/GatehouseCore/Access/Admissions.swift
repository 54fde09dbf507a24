/// How often one thread's commands have let somebody in, by product: the other side of `RefusalKeeper`.
///
/// A plain addition each, because `LOGIN.CHECK` makes one: no lock, no atomic, and no memory but for the first admission
/// to a product with a higher number than all before.
public final class Admissions {
  /// How many products are counted separately. There may be a million products, and monitoring must not get a series for
  /// each.
  public static let mostProducts = 10_000

  /// By product number. Number 0 stands for sessions and keys that are not for one product.
  @exclusivity(unchecked) private var counts = ContiguousArray<UInt64>(repeating: 0, count: 64)
  /// The admissions to all products with higher numbers.
  @exclusivity(unchecked) private var others: UInt64 = 0
  /// The product that was last counted; nil once it was taken.
  @exclusivity(unchecked) private var last: ProductID?

  public init() {}

  /// A copy of the counts.
  public var tally: AdmissionTally { AdmissionTally(counts: counts, others: others) }

  public func reset() {
    counts = ContiguousArray(repeating: 0, count: 64)
    others = 0
  }

  @inline(__always)
  func count(_ product: ProductID) {
    last = product
    guard Int(product) < counts.count else { return countRare(product) }
    counts[Int(product)] &+= 1
  }

  @inline(never)
  private func countRare(_ product: ProductID) {
    guard product <= Self.mostProducts else { return others &+= 1 }
    let size = min(Self.mostProducts + 1, max(counts.count * 2, Int(product) + 1))
    counts += ContiguousArray(repeating: 0, count: size - counts.count)
    counts[Int(product)] &+= 1
  }

  /// Moves the admission that the last command made to a tally that several threads share.
  ///
  /// - Returns: the product; nil if there was no admission since the last call.
  public func takeLast() -> ProductID? {
    guard let product = last else { return nil }
    last = nil
    if Int(product) < counts.count { counts[Int(product)] &-= 1 } else { others &-= 1 }
    return product
  }
}

/// The counts of `Admissions`, to be added up.
public struct AdmissionTally: Sendable {
  /// By product number; 0 for none.
  public private(set) var counts: ContiguousArray<UInt64>
  /// The admissions to all products with numbers above `Admissions.mostProducts`.
  public private(set) var others: UInt64

  public init() { self.init(counts: [], others: 0) }

  init(counts: ContiguousArray<UInt64>, others: UInt64) {
    self.counts = counts
    self.others = others
  }

  public mutating func count(_ product: ProductID) {
    guard product <= Admissions.mostProducts else { return others += 1 }
    grow(to: Int(product) + 1)
    counts[Int(product)] += 1
  }

  public mutating func add(_ other: AdmissionTally) {
    grow(to: other.counts.count)
    for (product, count) in other.counts.enumerated() { counts[product] += count }
    others += other.others
  }

  private mutating func grow(to size: Int) {
    if size > counts.count { counts += ContiguousArray(repeating: 0, count: size - counts.count) }
  }
}

extension Turn {
  /// Notes that the command lets a user in: to a product, or with 0 without naming one.
  @inline(__always)
  func noteAdmission(to product: ProductID) {
    admitted = product
    hasAdmission = true
  }

  /// Counts the admission that was noted.
  @inline(__always)
  func countAdmission() {
    hasAdmission = false
    admissions.count(admitted)
  }
}
