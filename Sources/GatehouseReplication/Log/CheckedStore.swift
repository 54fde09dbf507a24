internal import GatehouseStorage
internal import Synchronization

/// etcd, as far as it is consistent with itself.
///
/// Every read and every transaction goes through etcd's consensus, so its answer has at least the revision of any answer
/// that came before it was asked. If it has not, etcd was set back to an older copy, and what it acknowledged since is
/// lost. If another cluster answers, an address is wrong. Both are found here, at whichever call comes first.
final class CheckedStore: Sendable {
  let calls: any EtcdCalls
  private let sighting = Mutex(Sighting())

  private struct Sighting {
    var clusterID: UInt64?
    var revision: Int64 = 0
  }

  init(_ calls: any EtcdCalls) { self.calls = calls }

  func read(_ operations: [Operation]) async throws(EtcdError) -> TransactionResponse {
    let seen = sighting.withLock { $0.revision }
    let response = try await calls.read(operations)
    try check(response.header, since: seen)
    guard response.results.count == operations.count else {
      throw EtcdError(kind: .refused, endpoint: "the cluster", message: "an answer does not fit its question")
    }
    return response
  }

  func transact(_ request: TransactionRequest) async throws(EtcdError) -> TransactionResponse {
    let seen = sighting.withLock { $0.revision }
    let response = try await calls.transact(request)
    try check(response.header, since: seen)
    let asked = response.succeeded ? request.success : request.failure
    guard response.results.count == asked.count else {
      throw EtcdError(kind: .refused, endpoint: "the cluster", message: "an answer does not fit its question")
    }
    return response
  }

  private func check(_ header: ResponseHeader, since seen: Int64) throws(EtcdError) {
    let fault: String? = sighting.withLock { sighting in
      if let known = sighting.clusterID, known != header.clusterID {
        return """
          another cluster answers (\(String(header.clusterID, radix: 16)) instead of \(String(known, radix: 16))): name \
          only members of one cluster. If it was restored from a copy, stop all nodes and begin the shared log anew from \
          the node with the newest folder
          """
      }
      if header.revision < seen {
        return """
          its revision went back from \(seen) to \(header.revision), so it was restored from an older copy and has lost \
          what it had acknowledged: stop all nodes, and begin the shared log anew from the node with the newest folder
          """
      }
      sighting.clusterID = header.clusterID
      sighting.revision = max(sighting.revision, header.revision)
      return nil
    }
    if let fault {
      throw EtcdError(kind: .inconsistent, endpoint: "member \(String(header.memberID, radix: 16))", message: fault)
    }
  }
}

extension SharedLogError {
  /// What a failed call means for the shared log.
  init(_ error: EtcdError) {
    self =
      switch error.kind {
      case .unreachable, .busy, .leaseGone, .compacted: .unreachable(error.description)
      case .noSpace: .full(error.description)
      case .unauthenticated, .refused: .refused(error.description)
      case .inconsistent: .damaged(error.description)
      }
  }
}
