/// The calls of etcd that are used, on whatever members it has. Tests put a simulated etcd here.
///
/// Every call ends within a bounded time. A call that only reads is tried at every member before it fails. A call that
/// changes something is sent once, because after a failure nobody knows whether the change was made: the caller finds
/// out, then sends it again.
protocol EtcdCalls: Sendable {
  /// Carries out operations that only read, all as of the newest revision that a majority has.
  func read(_ operations: [Operation]) async throws(EtcdError) -> TransactionResponse
  func transact(_ request: TransactionRequest) async throws(EtcdError) -> TransactionResponse
  func compact(_ request: CompactionRequest) async throws(EtcdError)
  func grantLease(_ request: LeaseGrantRequest) async throws(EtcdError) -> LeaseResponse
  func keepAlive(_ request: LeaseRequest) async throws(EtcdError) -> LeaseResponse
  func revokeLease(_ request: LeaseRequest) async throws(EtcdError)

  /// Opens the stream of a watch at one member. It ends when `requests` or `handle` throws, and when the member goes.
  ///
  /// - Parameters:
  ///   - requests: is given what sends on the stream, and stays for as long as the stream is wanted.
  ///   - handle: called for one answer after the other. What comes while it runs is one answer, and no more is read ahead
  ///     than there is room for.
  /// - Throws: an `EtcdError`, or what `requests` or `handle` threw.
  func watch(
    requests: @escaping @Sendable (@escaping @Sendable (WatchRequest) async throws -> Void) async throws -> Void,
    handle: @escaping @Sendable (WatchResponse) async throws -> Void
  ) async throws

  /// Closes all connections.
  func close() async
}
