internal import GatehouseStorage

/// Requests to hand over, and their answers.
///
/// A request names the epoch whose leader is asked, so it means nothing to a later one. It stays until it is answered: the
/// leader sees it whenever it connects again. The leader takes it before it hands over, and whoever has asked can withdraw
/// it only until then, so both know whether it happens. Until then another request may replace it, too: whoever has asked
/// first finds that one in its place.
struct Handovers {
  let store: CheckedStore
  let keys: LogKeys

  /// Asks, in place of what was seen.
  ///
  /// - Parameter revision: of the request that was seen last; 0 if there was none.
  /// - Returns: false if there is another one meanwhile, or it was answered.
  func request(_ request: HandoverRequest, replacing revision: Int64) async throws(EtcdError) -> Bool {
    let put = Operation.put(key: keys.handover, value: StoredHandover(request: request).stored)
    let response = try await store.transact(
      TransactionRequest(
        comparisons: [Comparison(key: keys.handover, target: .modRevision(revision))], success: [put],
        failure: [.get(keys.handover)]))
    if response.succeeded { return true }
    // An attempt before, whose answer was lost, may have done it, and the leader may have answered since.
    return read(response.results[0].pairs.first)?.isSame(as: request) ?? false
  }

  /// The request is compared by its revision, and not by its bytes: a node of a newer version may have written more.
  ///
  /// - Returns: false if the request is not as it was seen any more.
  func settle(_ request: HandoverRequest, _ answer: HandoverRequest.Answer?) async throws(EtcdError) -> Bool {
    var settled = request
    if let answer { settled.answer = answer }
    let pair = try await store.read([.get(keys.handover)]).results[0].pairs.first
    let found = read(pair)
    // An attempt before, whose answer was lost, may have done it.
    let isDone = answer == nil ? pair == nil : found == settled
    if isDone { return true }
    guard let pair, found == request else { return false }
    let change: Operation =
      if answer == nil {
        .delete(KeyRange(keys.handover))
      } else {
        .put(key: keys.handover, value: StoredHandover(request: settled).stored)
      }
    let response = try await store.transact(
      TransactionRequest(
        comparisons: [Comparison(key: keys.handover, target: .modRevision(pair.modRevision))],
        success: [change], failure: [.get(keys.handover)]))
    if response.succeeded { return true }
    let now = response.results[0].pairs.first
    return answer == nil ? now == nil : read(now) == settled
  }

  private func read(_ pair: KeyValue?) -> HandoverRequest? { (try? StoredHandover(pair, as: "handover"))?.request }
}
