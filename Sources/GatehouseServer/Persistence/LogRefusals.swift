import GatehouseCore
import GatehouseStorage

extension Refusal {
  /// Refuses a read that would show records that were not durable when the log failed.
  static let neverDurable = Refusal(
    .readOnly,
    "the log failed before what this would show was durable; what is durable can be read; INFO log says what failed")
  /// Refuses a read that would show records that the log cannot write for now.
  static func notDurableYet(_ log: LogWriter) -> Refusal {
    let (what, relief) = log.want
    return Refusal(
      .readOnly, "\(what), and what this would show is not durable yet; what is durable can be read; \(relief)")
  }

  /// Why the log does not take a change.
  init(logRefusal: LogRefusal, _ services: ServerContext) {
    let log = services.log
    switch logRefusal {
    case .following: self = services.facts.node.readOnlyRefusal
    case .busy: self.init(.busy, "the log is behind; try again")
    case .full where log.isHeldBack:
      self.init(
        .busy,
        "the shared log keeps as much as it may, because a node lacks it or too few have snapshots, or its engine has no "
          + "space; nothing was changed; try again, and see NODE.LIST")
    case .full:
      let (what, relief) = log.want
      self.init(.readOnly, "\(what); nothing was changed; \(relief) and writes are taken again")
    case .failed(let why):
      self.init(
        .readOnly, "the log failed (\(why)); nothing was changed; \(log.remedy ?? DiskTrouble.failed.remedy)")
    case .early: preconditionFailure("a record that is too early takes a later time and is appended again")
    case .tooLarge: self.init(.limit, "record: the command changes more than one record of the log can hold; split it")
    }
  }
}

extension LogWriter {
  /// What is missing while the log is full, and what helps.
  var want: (what: String, relief: String) { (shortage?.trouble ?? .noSpace).want }
}
