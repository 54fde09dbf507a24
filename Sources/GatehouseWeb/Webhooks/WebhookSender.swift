import CCurl
import Foundation
import GatehouseServer
import Glibc
import Synchronization

/// Sends requests over HTTP, many at a time on one thread (libcurl's multi interface): a receiver that is slow keeps no
/// other waiting. Redirects are not followed and proxies of the environment not used, since both would lead elsewhere than
/// `webhook-networks` allows.
final class WebhookSender: Sendable {
  /// Requests under way. Further ones wait their turn.
  private static let mostAtOnce = 256
  private static let connectMilliseconds = 5_000
  private static let mostMilliseconds = 15_000
  /// Bytes of an answer that are read. Nobody looks at them; a connection can be used again once they are read.
  private static let mostAnswerBytes = 65_536
  /// How long the thread waits if nothing happens, in milliseconds. It is woken for new requests.
  private static let pause: Int32 = 60_000

  private struct State {
    var waiting: [Transfer] = []
    var isStopped = false
    var isRunning = false
  }

  private let door: CommandDoor
  private let state = Mutex(State())
  /// Only `curl_multi_wakeup` is called on it by other threads, which libcurl allows.
  private nonisolated(unsafe) let multi: UnsafeMutableRawPointer

  init(_ door: CommandDoor) {
    self.door = door
    curl_global_init(Int(CURL_GLOBAL_DEFAULT))
    guard let multi = curl_multi_init() else { preconditionFailure("no memory for libcurl") }
    self.multi = multi
  }

  deinit { curl_multi_cleanup(multi) }

  /// Sends a request and waits for the answer.
  func send(_ request: WebhookRequest) async -> WebhookAnswer {
    await withCheckedContinuation { continuation in
      let transfer = Transfer(request, door.configuration, continuation)
      let isAccepted = state.withLock { state in
        if state.isStopped { return false }
        state.waiting.append(transfer)
        if !state.isRunning {
          // The thread keeps the sender until it is stopped.
          state.isRunning = true
          let thread = Thread { [self] in run() }
          thread.name = "gatehouse-webhooks"
          thread.start()
        }
        return true
      }
      guard isAccepted else { return continuation.resume(returning: .abandoned) }
      curl_multi_wakeup(multi)
    }
  }

  /// Ends all requests under way and takes no more.
  func stop() {
    state.withLock { $0.isStopped = true }
    curl_multi_wakeup(multi)
  }

  // MARK: The thread

  private func run() {
    var underWay: [UnsafeMutableRawPointer: Transfer] = [:]
    while true {
      let (new, isStopped) = state.withLock { state -> ([Transfer], Bool) in
        let count = state.isStopped ? state.waiting.count : min(state.waiting.count, Self.mostAtOnce - underWay.count)
        defer { state.waiting.removeFirst(count) }
        return (Array(state.waiting.prefix(count)), state.isStopped)
      }
      if isStopped {
        for (handle, transfer) in underWay {
          curl_multi_remove_handle(multi, handle)
          transfer.end(.abandoned)
        }
        for transfer in new { transfer.end(.abandoned) }
        return
      }
      for transfer in new {
        guard let handle = transfer.begin() else {
          transfer.end(.failed("no memory for a request"))
          continue
        }
        underWay[handle] = transfer
        curl_multi_add_handle(multi, handle)
      }
      var running: Int32 = 0
      curl_multi_perform(multi, &running)
      finish(&underWay)
      if state.withLock({ $0.waiting.isEmpty || underWay.count >= Self.mostAtOnce }) {
        curl_multi_poll(multi, nil, 0, Self.pause, nil)
      }
    }
  }

  private func finish(_ underWay: inout [UnsafeMutableRawPointer: Transfer]) {
    var left: Int32 = 0
    while let message = curl_multi_info_read(multi, &left) {
      guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle,
        let transfer = underWay.removeValue(forKey: handle)
      else { continue }
      let result = gatehouse_curl_result(message)
      curl_multi_remove_handle(multi, handle)
      transfer.end(transfer.answer(result))
    }
  }

  /// One request. Only the sender's thread touches it once it is under way.
  private final class Transfer: @unchecked Sendable {
    private let request: WebhookRequest
    private let networks: NetworkList
    private let authorities: String?
    private let continuation: CheckedContinuation<WebhookAnswer, Never>
    private var easy: UnsafeMutableRawPointer?
    private var headers: UnsafeMutablePointer<curl_slist>?
    private var received = 0
    /// Whether an address was refused, and whether another was connected to.
    private var isForbidden = false
    private var hasOpened = false

    init(
      _ request: WebhookRequest, _ settings: ServerConfiguration,
      _ continuation: CheckedContinuation<WebhookAnswer, Never>
    ) {
      self.request = request
      networks = settings.webhookNetworks
      authorities = settings.webhookCACertFile
      self.continuation = continuation
    }

    func begin() -> UnsafeMutableRawPointer? {
      guard let easy = curl_easy_init() else { return nil }
      self.easy = easy
      for header in request.headers + ["Expect:", "Accept:"] { headers = curl_slist_append(headers, header) }
      let itself = Unmanaged.passUnretained(self).toOpaque()
      gatehouse_curl_set_pointer(easy, CURLOPT_URL, request.url)
      gatehouse_curl_set_pointer(easy, CURLOPT_PROTOCOLS_STR, "http,https")
      gatehouse_curl_set_pointer(easy, CURLOPT_PROXY, "")
      gatehouse_curl_set_pointer(easy, CURLOPT_USERAGENT, "Gatehouse")
      gatehouse_curl_set_pointer(easy, CURLOPT_HTTPHEADER, headers)
      gatehouse_curl_set_long(easy, CURLOPT_POSTFIELDSIZE, request.body.count)
      request.body.withUnsafeBytes { _ = gatehouse_curl_set_pointer(easy, CURLOPT_COPYPOSTFIELDS, $0.baseAddress) }
      for (option, value) in [
        (CURLOPT_NOSIGNAL, 1), (CURLOPT_FOLLOWLOCATION, 0), (CURLOPT_SSL_VERIFYPEER, 1), (CURLOPT_SSL_VERIFYHOST, 2),
        (CURLOPT_CONNECTTIMEOUT_MS, WebhookSender.connectMilliseconds),
        (CURLOPT_TIMEOUT_MS, WebhookSender.mostMilliseconds), (CURLOPT_HTTP_VERSION, 2),
      ] {
        gatehouse_curl_set_long(easy, option, value)
      }
      if let authorities { gatehouse_curl_set_pointer(easy, CURLOPT_CAINFO, authorities) }
      gatehouse_curl_set_pointer(easy, CURLOPT_WRITEDATA, itself)
      gatehouse_curl_set_write(easy) { _, size, count, transfer in
        let transfer = Unmanaged<Transfer>.fromOpaque(transfer!).takeUnretainedValue()
        transfer.received += size * count
        return transfer.received <= WebhookSender.mostAnswerBytes ? size * count : 0
      }
      gatehouse_curl_set_pointer(easy, CURLOPT_OPENSOCKETDATA, itself)
      gatehouse_curl_set_open(easy) { transfer, _, address in
        let transfer = Unmanaged<Transfer>.fromOpaque(transfer!).takeUnretainedValue()
        return transfer.open(&address!.pointee)
      }
      gatehouse_curl_set_pointer(easy, CURLOPT_PREREQDATA, itself)
      gatehouse_curl_set_prerequisite(easy) { transfer, address, _, _, _ in
        let transfer = Unmanaged<Transfer>.fromOpaque(transfer!).takeUnretainedValue()
        return transfer.mayUse(address) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
      }
      return easy
    }

    /// A socket for an address that its name led to.
    private func open(_ address: inout curl_sockaddr) -> curl_socket_t {
      let isAllowed = withUnsafePointer(to: &address.addr) { networks.allows($0) }
      // A name may lead to several addresses. Why an allowed one could not be connected to is what matters then.
      isForbidden = !isAllowed && !hasOpened
      guard isAllowed else { return -1 }
      hasOpened = true
      return socket(address.family, address.socktype | Int32(SOCK_CLOEXEC.rawValue), address.protocol)
    }

    /// Whether a connection may be used: one that is kept open may be older than the setting.
    private func mayUse(_ address: UnsafePointer<CChar>?) -> Bool {
      isForbidden = !(address.map { networks.allows(String(cString: $0)) } ?? false)
      return !isForbidden
    }

    func answer(_ result: CURLcode) -> WebhookAnswer {
      guard let easy else { return .failed("no memory for a request") }
      let status = gatehouse_curl_status(easy)
      // An answer that is too long to read is one nevertheless.
      if result == CURLE_OK || result == CURLE_WRITE_ERROR && status > 0 {
        return .status(status, retryAfter: Int(gatehouse_curl_retry_after(easy)))
      }
      if isForbidden { return .failed("the address is in no network that webhook-networks allows") }
      return .failed(String(cString: curl_easy_strerror(result)))
    }

    func end(_ answer: WebhookAnswer) {
      if let easy { curl_easy_cleanup(easy) }
      curl_slist_free_all(headers)
      (easy, headers) = (nil, nil)
      continuation.resume(returning: answer)
    }
  }
}
