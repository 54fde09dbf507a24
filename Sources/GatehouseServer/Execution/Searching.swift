import GatehouseCore

/// Looks through all partitions, entering each for a few hundred rows at a time.
extension Search: ServerWork {
  func perform(_ context: ServerContext, after lastWrite: LSN) throws -> Findings {
    var findings = begin(context.partitioning)
    var waited: UInt64 = 0
    for handle in context.handles {
      var next: Int? = 1
      while let first = next {
        let hold = handle.enter(addingWaitTo: &waited)
        let watch = HoldWatch()
        next = look(at: hold.cell, from: first, into: &findings)
        watch.end(context.holdFigures)
        hold.leave()
      }
    }
    return findings
  }
}
