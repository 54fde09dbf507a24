import GatehouseCore

/// The figures of logins that were let in or refused, and of seats. Their labels name products, so each metric has a
/// limited number of series; what is beyond them is summed up under the product `other`.
struct LoginSections {
  let context: ServerContext
  let metrics: CommandMetrics

  /// Series of one metric.
  static let mostSeries = 2000
  /// What stands for all further products. No product is called so: a slash separates the workspace from the name.
  static let others = "/other"
  /// Products whose seats are counted.
  private static let mostProducts = 10_000

  // MARK: Decisions

  /// Logins by result, and refused ones by product and reason.
  var refusals: [Figure] {
    let counts = context.refusalCounts
    let products = counts.products.sorted { $0.key < $1.key }
    let admitted = admissions
    return [
      Figure("admitted_logins", admitted.total, samples: admitted.samples),
      Figure("refused_logins", counts.total, samples: unnamed(counts)),
      Figure("refused_logins_kept", context.refusals.reduce(0) { $0 + $1.kept }),
    ] + LoginDenial.allCases.map { Figure("refused_\($0.reason)", counts.reasons[$0] ?? 0) }
      + products.map { id, reasons in
        let name = productName(id)
        return Figure("refused_product_\(name)", text(reasons), samples: samples(reasons, product: name))
      }
      + (counts.others.isEmpty
        ? []
        : [
          Figure("refused_other_products", text(counts.others), samples: samples(counts.others, product: Self.others))
        ])
  }

  private func decisions(_ result: String, reason: String, product: String) -> Metric {
    .counter(
      "login_decisions", "Decisions of LOGIN.CHECK, logins, checks of sessions and API keys", ("result", result),
      ("reason", reason), ("product", product))
  }

  private var admissions: (total: UInt64, samples: [Figure.Sample]) {
    let tally = metrics.admissions
    var samples: [Figure.Sample] = []
    var (total, others) = (tally.others, tally.others)
    for (product, count) in tally.counts.enumerated() where count > 0 {
      total += count
      if samples.count < Self.mostSeries {
        let name = product == 0 ? "" : productName(ProductID(product))
        samples.append(decisions("allow", reason: "", product: name).sample(count))
      } else {
        others += count
      }
    }
    if others > 0 { samples.append(decisions("allow", reason: "", product: Self.others).sample(others)) }
    return (total, samples)
  }

  private func unnamed(_ counts: RefusalCounts) -> [Figure.Sample] {
    samples(counts.unnamed.filter { $0.value > 0 }, product: "")
  }

  private func samples(_ reasons: RefusalCounts.Reasons, product: String) -> [Figure.Sample] {
    LoginDenial.allCases.compactMap { denial in
      reasons[denial].map { decisions("deny", reason: "\(denial.reason)", product: product).sample($0) }
    }
  }

  private func text(_ reasons: RefusalCounts.Reasons) -> String {
    LoginDenial.allCases.compactMap { denial in reasons[denial].map { "\(denial.reason)=\($0)" } }
      .joined(separator: ",")
  }

  private func productName(_ id: ProductID) -> String {
    let directory = context.gate.directory
    return directory.product(id).map { directory.productName($0) } ?? "\(id)"
  }

  // MARK: Seats

  /// Seats bought and in use, by pool.
  var seats: [Figure] {
    let directory = context.gate.directory
    var pools: [Pooled] = []
    for number in 1..<(1 + min(Self.mostProducts, directory.products.count)) {
      guard let product = directory.product(ProductID(number)) else { continue }
      for pool in product.pools { pools.append(Pooled(product: product, pool: pool)) }
    }
    var (samples, others) = ([Figure.Sample](), (bought: 0, used: 0))
    var isFull = false
    for batch in pools.batches(of: 256) {
      for (pooled, used) in zip(batch, context.gate.used(batch.map { $0.product.seatKey($0.pool.type) })) {
        let bought = Int(pooled.pool.bought)
        if samples.count + 2 <= Self.mostSeries * 2 {
          // Only those that are shown need their names.
          let name = directory.productName(pooled.product)
          samples.append(Self.bought(name, pooled.pool.type).sample(bought))
          samples.append(Self.used(name, pooled.pool.type).sample(used))
        } else {
          isFull = true
          others = (others.bought + bought, others.used + used)
        }
      }
    }
    if isFull {
      samples += [
        Self.bought(Self.others, "").sample(others.bought), Self.used(Self.others, "").sample(others.used),
      ]
    }
    let products = Metric.gauge("products", "Products of all workspaces")
    return [
      Figure("products", directory.products.count, products), Figure(samples: samples),
    ]
  }

  private struct Pooled {
    let product: Product
    let pool: Pool
  }

  private static func bought(_ product: String, _ pool: String) -> Metric {
    .gauge("seats_bought", "Seats that were bought, by pool", ("product", product), ("pool", pool))
  }

  private static func used(_ product: String, _ pool: String) -> Metric {
    .gauge("seats_used", "Seats in use, by pool", ("product", product), ("pool", pool))
  }
}

extension Array {
  fileprivate func batches(of size: Int) -> [ArraySlice<Element>] {
    stride(from: 0, to: count, by: size).map { self[$0..<Swift.min($0 + size, count)] }
  }
}
