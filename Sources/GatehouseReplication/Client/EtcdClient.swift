#if Replication
  internal import GRPCCore
  internal import GatehouseStorage
  internal import Synchronization

  /// A client of an etcd cluster over gRPC.
  ///
  /// All calls go to one member until it fails; then to the next. A member that has no majority answers only after a
  /// while that it cannot, which the deadline of every call cuts short. The member that leads the others is preferred,
  /// because they pass on to it what changes something.
  final class EtcdClient: EtcdCalls {
    private let members: [EtcdMember]
    private let credentials: EtcdCredentials
    /// How long a call may take. etcd itself gives up after 5 s plus its election timeout, which is longer than a leader
    /// wants to wait before it asks another member.
    private let patience: Duration
    private let state = Mutex(State())

    private struct State {
      /// The member that is asked first.
      var preferred = 0
      /// The term in which the leading member was looked for.
      var term: UInt64 = 0
      /// With a user and password: what shows that they were right.
      var token: String?
    }

    /// The longest answer: a range of frames (`FrameReading`).
    private static let longestAnswer = 96 << 20

    init(_ address: EtcdAddress, _ credentials: EtcdCredentials, patience: Duration) throws(SharedLogError) {
      self.credentials = credentials
      self.patience = patience
      var members: [EtcdMember] = []
      for member in address.members {
        members.append(try EtcdMember(member, usesTLS: address.usesTLS, credentials))
      }
      self.members = members
    }

    func close() async {
      await withTaskGroup { group in
        for member in members { group.addTask { await member.close() } }
      }
    }

    // MARK: Calls

    func read(_ operations: [Operation]) async throws(EtcdError) -> TransactionResponse {
      try await anywhere(.transact, TransactionRequest(success: operations))
    }

    func transact(_ request: TransactionRequest) async throws(EtcdError) -> TransactionResponse {
      try await once(.transact, request)
    }

    func compact(_ request: CompactionRequest) async throws(EtcdError) {
      let _: HeaderResponse = try await once(.compact, request)
    }

    func grantLease(_ request: LeaseGrantRequest) async throws(EtcdError) -> LeaseResponse {
      try await anywhere(.grantLease, request)
    }

    func keepAlive(_ request: LeaseRequest) async throws(EtcdError) -> LeaseResponse {
      try await anywhere(.keepAlive, request)
    }

    func revokeLease(_ request: LeaseRequest) async throws(EtcdError) {
      let _: HeaderResponse = try await once(.revokeLease, request)
    }

    /// The version of the first member that answers.
    func version() async throws(EtcdError) -> String {
      try await anywhere(.status, StatusRequest()).version
    }

    /// Asks one member after the other, until one answers.
    private func anywhere<Request, Response>(
      _ method: EtcdMethod<Request, Response>, _ request: Request
    ) async throws(EtcdError) -> Response {
      var failures: [EtcdError] = []
      for _ in members {
        do throws(EtcdError) {
          return try await once(method, request)
        } catch {
          guard error.mayPass, !Task.isCancelled else { throw error }
          failures.append(error)
        }
      }
      throw Self.combined(failures)
    }

    /// What is said if no member could be asked.
    private static func combined(_ failures: [EtcdError]) -> EtcdError {
      guard let first = failures.first, failures.count > 1 else { return failures[0] }
      return EtcdError(
        kind: first.kind, endpoint: failures.map(\.endpoint).joined(separator: ","),
        message: failures.map { "\($0.endpoint): \($0.message)" }.joined(separator: "; "))
    }

    /// Asks the preferred member, once; a second time if only the token was too old.
    private func once<Request, Response>(
      _ method: EtcdMethod<Request, Response>, _ request: Request
    ) async throws(EtcdError) -> Response {
      let (index, known) = state.withLock { ($0.preferred, $0.token) }
      do throws(EtcdError) {
        var token = known
        if credentials.user != nil, token == nil { token = try await authenticate(index) }
        let response: Response
        do throws(EtcdError) {
          response = try await call(method, request, at: members[index], token: token)
        } catch {
          guard error.kind == .unauthenticated, credentials.user != nil else { throw error }
          // Such a call was refused before it changed anything.
          token = try await authenticate(index)
          response = try await call(method, request, at: members[index], token: token)
        }
        noteTerm(response.header.term)
        return response
      } catch {
        if error.mayPass { leave(index) }
        throw error
      }
    }

    /// The next call goes to another member.
    private func leave(_ index: Int) {
      state.withLock { state in
        if state.preferred == index { state.preferred = (index + 1) % members.count }
      }
    }

    /// Looks for the leading member, once in each term.
    private func noteTerm(_ term: UInt64) {
      let isNew = state.withLock { state in
        guard term > state.term else { return false }
        state.term = term
        return true
      }
      if isNew, members.count > 1 { Task { await preferLeader(in: term) } }
    }

    /// A member that does not answer, or knows of no leader, is passed over: what is preferred then stays.
    private func preferLeader(in term: UInt64) async {
      let token = state.withLock { $0.token }
      for index in members.indices {
        guard let status = try? await call(.status, StatusRequest(), at: members[index], token: token),
          status.leaderID == status.header.memberID, status.header.term == term
        else { continue }
        return state.withLock { state in if state.term == term { state.preferred = index } }
      }
    }

    private func authenticate(_ index: Int) async throws(EtcdError) -> String {
      let request = AuthenticateRequest(name: credentials.user ?? "", password: credentials.password ?? "")
      let token = try await call(.authenticate, request, at: members[index], token: nil).token
      state.withLock { $0.token = token }
      return token
    }

    private func call<Request, Response>(
      _ method: EtcdMethod<Request, Response>, _ request: Request, at member: EtcdMember, token: String?
    ) async throws(EtcdError) -> Response {
      do {
        return try await member.client.unary(
          request: ClientRequest(message: request, metadata: Self.metadata(token)), descriptor: method.descriptor,
          serializer: method.writer, deserializer: method.reader, options: options
        ) { response in try response.message }
      } catch {
        throw Self.failure(error, at: member)
      }
    }

    private var options: CallOptions {
      var options = CallOptions.defaults
      options.timeout = patience
      Self.allowLongAnswers(&options)
      return options
    }

    /// gRPC's transport (2.9.2) bounds answers by the option for requests.
    private static func allowLongAnswers(_ options: inout CallOptions) {
      options.maxRequestMessageBytes = longestAnswer
      options.maxResponseMessageBytes = longestAnswer
    }

    private static func metadata(_ token: String?) -> Metadata {
      if let token { ["token": "\(token)"] } else { [:] }
    }

    private static func failure(_ error: any Error, at member: EtcdMember) -> EtcdError {
      switch error {
      case let error as EtcdError: error
      case let error as RPCError:
        EtcdError(
          code: error.code.rawValue, message: error.cause.map { "\(error.message) (\($0))" } ?? error.message,
          endpoint: member.name)
      default: EtcdError(kind: .unreachable, endpoint: member.name, message: "\(error)")
      }
    }

    // MARK: Watching

    func watch(
      requests: @escaping @Sendable (@escaping @Sendable (WatchRequest) async throws -> Void) async throws -> Void,
      handle: @escaping @Sendable (WatchResponse) async throws -> Void
    ) async throws {
      let (index, known) = state.withLock { ($0.preferred, $0.token) }
      let member = members[index]
      do {
        var token = known
        if credentials.user != nil, token == nil { token = try await authenticate(index) }
        var metadata = Self.metadata(token)
        // A member that loses the majority ends the stream, instead of staying silent.
        metadata.addString("true", forKey: "hasleader")
        try await stream(member, metadata, requests, handle)
      } catch let error as EtcdError {
        if error.mayPass { leave(index) }
        // A watch is refused in these words also if the token is too old.
        if error.kind == .unauthenticated || error.message.contains("permission denied") {
          state.withLock { $0.token = nil }
        }
        throw error
      }
    }

    /// Nothing can be sent any more because the stream has ended; its end says why.
    private struct Unsent: Error, CustomStringConvertible {
      let description: String
    }

    private func stream(
      _ member: EtcdMember, _ metadata: Metadata,
      _ requests: @escaping @Sendable (@escaping @Sendable (WatchRequest) async throws -> Void) async throws -> Void,
      _ handle: @escaping @Sendable (WatchResponse) async throws -> Void
    ) async throws {
      let method = EtcdMethod.watch
      var options = CallOptions.defaults
      Self.allowLongAnswers(&options)
      // What the two closures throw would otherwise come back in gRPC's wrapping, or not at all.
      let thrown = Mutex<(any Error)?>(nil)
      do {
        try await member.client.bidirectionalStreaming(
          request: StreamingClientRequest(metadata: metadata) { writer in
            do {
              try await requests { request in
                do {
                  try await writer.write(request)
                } catch {
                  throw Unsent(description: "\(error)")
                }
              }
            } catch {
              thrown.withLock { if $0 == nil, !(error is CancellationError), !(error is Unsent) { $0 = error } }
              throw error
            }
          }, descriptor: method.descriptor, serializer: method.writer, deserializer: method.reader, options: options
        ) { response in
          let backlog = WatchBacklog()
          try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
              defer { backlog.end() }
              for try await message in response.messages { guard await backlog.put(message) else { return } }
            }
            defer { backlog.end() }
            while let answer = await backlog.take() {
              do {
                try await handle(answer)
              } catch {
                thrown.withLock { $0 = error }
                throw error
              }
            }
            try await group.next()
          }
        }
      } catch {
        try Task.checkCancellation()
        throw thrown.withLock { $0 } ?? Self.failure(error, at: member)
      }
      throw thrown.withLock { $0 }
        ?? EtcdError(kind: .unreachable, endpoint: member.name, message: "it has ended the watch")
    }
  }
#endif
