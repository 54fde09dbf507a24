internal import GatehouseStorage

/// Requests to hand over, and their answers.
///
/// A request names the epoch whose leader is asked, so it means nothing to a later one. It stays until it is answered: the
/// leader sees it whenever it connects again. The leader takes it before it hands over, and whoever has asked can withdraw
/// it only until then, so both know whether it happens.
struct Handovers {
  let store: CheckedStore
  let keys: LogKeys

  func request(_ request: HandoverRequest) async throws(EtcdError) {
    let put = Operation.put(key: keys.handover, value: StoredHandover(request: request).stored)
    _ = try await store.transact(TransactionRequest(success: [put]))
  }

  /// - Returns: false if the request is not as it was seen any more.
  func settle(_ request: HandoverRequest, _ answer: HandoverRequest.Answer?) async throws(EtcdError) -> Bool {
    var settled: HandoverRequest?
    if let answer {
      settled = request
      settled?.answer = answer
    }
    let change: Operation =
      if let settled {
        .put(key: keys.handover, value: StoredHandover(request: settled).stored)
      } else {
        .delete(KeyRange(keys.handover))
      }
    let response = try await store.transact(
      TransactionRequest(
        comparisons: [Comparison(key: keys.handover, target: .value(StoredHandover(request: request).stored))],
        success: [change], failure: [.get(keys.handover)]))
    if response.succeeded { return true }
    // An attempt before, whose answer was lost, may have done it.
    let found = response.results[0].pairs.first
    guard let settled else { return found == nil }
    return (try? StoredHandover(found, as: "handover"))?.request == settled
  }
}
