import Foundation
import GatehouseTestSupport

/// A receiver of webhooks in Python, which verifies signatures by itself and writes a line for each event that it accepts:
/// id, whether the signature is right, type, and the subjects of its changes.
final class Receiver: Sendable {
  static let secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"

  let port: UInt16
  private let folder: TemporaryFolder
  private let process: Collected<ChildProcess>

  /// - Parameter answers: Python that sets `code` and `more` (further headers), of `count` (how many requests there were),
  ///   `path` and `random`.
  init(_ answers: String = "code = 200", python: String = "python3", parse: String = "event = json.loads(body)") throws
  {
    folder = try TemporaryFolder("receiver")
    port = try FreePort.next()
    process = Collected()
    try Self.script(answers, parse).write(toFile: folder.path("receiver.py"), atomically: true, encoding: .utf8)
    self.python = python
    try start()
  }

  private let python: String

  func start() throws {
    let child = try ChildProcess(
      python, [folder.path("receiver.py"), "\(port)", Self.secret, folder.path("accepted")],
      errors: folder.path("errors"))
    process.add(child)
    try eventually("the receiver listens", within: .seconds(20)) {
      (try? RawConnection(port: port)) != nil
    }
  }

  /// SIGKILL.
  func kill() { process.all.last?.kill() }

  var url: String { "http://127.0.0.1:\(port)/hooks" }

  /// Events in the order in which they were accepted.
  var accepted: [(id: String, isSigned: Bool, type: String, entities: String)] {
    readText(folder.path("accepted")).split(separator: "\n").compactMap { line in
      let parts = line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
      return parts.count == 4 ? (parts[0], parts[1] == "signed", parts[2], parts[3]) : nil
    }
  }

  /// Milliseconds of all requests.
  var times: [Int] { readText(folder.path("accepted") + ".times").split(separator: "\n").compactMap { Int($0) } }

  var errors: String { readText(folder.path("errors")) }

  private static func script(_ answers: String, _ parse: String) -> String {
    """
    import base64, hashlib, hmac, http.server, json, os, random, sys, time
    secret, out, count = base64.b64decode(sys.argv[2].removeprefix("whsec_")), sys.argv[3], 0
    class Handler(http.server.BaseHTTPRequestHandler):
      protocol_version = "HTTP/1.1"
      def do_POST(self):
        global count
        count += 1
        body, path, headers = self.rfile.read(int(self.headers["content-length"])), self.path, self.headers
        name, time_, given = headers["webhook-id"], headers["webhook-timestamp"], headers["webhook-signature"].split()
        digest = hmac.new(secret, f"{name}.{time_}.".encode() + body, hashlib.sha256).digest()
        is_good = "v1," + base64.b64encode(digest).decode() in given and abs(time.time() - int(time_)) < 300
        open(out + ".times", "a").write(f"{int(time.time() * 1000)}\\n")
        code, more = 200, {}
        \(answers)
        if code == 200:
          \(parse)
          assert event["id"] == name and event["specversion"] == "1.0", event
          entities = ",".join(change["entity"] for change in event["data"]["changes"])
          with open(out, "a") as file:
            file.write(f"{name}|{'signed' if is_good else 'BAD'}|{event['type']}|{entities}\\n")
            file.flush()
            os.fsync(file.fileno())
        self.send_response(code)
        for key, value in more.items(): self.send_header(key, value)
        self.send_header("content-length", "0")
        self.end_headers()
      def log_message(self, *_): pass
    http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
    """
  }
}
