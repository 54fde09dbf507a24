import NIOCore

/// What one lane has for another: requests to carry out there, and answers to requests that came from there.
struct LaneParcel: Sendable {
  fileprivate(set) var jobs: ContiguousArray<LaneJob> = []
  fileprivate(set) var answers: ContiguousArray<LaneAnswers> = []
  /// How many requests and answers that is.
  fileprivate var weight = 0
}

/// What a lane has for the others. To wake another thread for each connection's requests would cost more than to carry
/// them out, so a parcel leaves when the loop has dealt with all that is ready to be read, or when it is worth the wake.
struct LanePost {
  private var parcels: ContiguousArray<LaneParcel>
  /// Whether somebody sees to it that all parcels leave.
  private var isCalled = false

  /// How many requests and answers leave at once: more would only keep the other lane waiting.
  private static let worthwhile = 256

  init(lanes: Int) { parcels = ContiguousArray(repeating: LaneParcel(), count: lanes) }

  enum Next {
    case leave
    case wait
    /// Somebody must call for the parcels when the loop has dealt with what it has.
    case call
  }

  /// Puts something of a weight in a lane's parcel.
  mutating func add(for lane: Int, weight: Int, _ put: (inout LaneParcel) -> Void) -> Next {
    put(&parcels[lane])
    parcels[lane].weight += weight
    if parcels[lane].weight >= Self.worthwhile { return .leave }
    defer { isCalled = true }
    return isCalled ? .wait : .call
  }

  /// Takes out what there is for a lane; nil where there is nothing.
  mutating func take(for lane: Int) -> LaneParcel? {
    if parcels[lane].weight == 0 { return nil }
    defer { parcels[lane] = LaneParcel() }
    return parcels[lane]
  }

  /// Notes that all parcels leave now.
  mutating func noteCall() { isCalled = false }
}

extension Lane {
  /// Has another lane carry out requests.
  func send(_ job: LaneJob, to lane: Lane) {
    post(to: lane, weight: job.requests.items.count) { $0.jobs.append(job) }
  }

  /// Gives the answers to requests back to the lane that sent them.
  func send(_ answers: LaneAnswers, to lane: Lane) {
    post(to: lane, weight: max(1, answers.items.count)) { $0.answers.append(answers) }
  }

  private func post(to lane: Lane, weight: Int, _ put: (inout LaneParcel) -> Void) {
    switch outgoing.add(for: lane.index, weight: weight, put) {
    case .wait: break
    case .leave: deliverPost(to: lane)
    case .call:
      loop.execute {
        self.outgoing.noteCall()
        for lane in self.services.lanes { self.deliverPost(to: lane) }
      }
    }
  }

  private func deliverPost(to lane: Lane) {
    guard let parcel = outgoing.take(for: lane.index) else { return }
    lane.loop.execute { lane.receive(parcel) }
  }

  private func receive(_ parcel: LaneParcel) {
    for answers in parcel.answers { answers.connection.deliver(answers) }
    for job in parcel.jobs { carryOut(job) }
  }
}
