import GatehouseCore
import GatehouseWire

/// One connection with the rows whose requests were sent on it, and whose answers have not been read.
final class RowLane {
  let client: BlockingClient
  private var rows: [Entry] = []
  private var requests: [UInt8] = []

  /// Enough that the server's log takes many rows with one sync, and that a lane's memory stays small.
  private static let rowsMost = 512
  private static let bytesMost = 1 << 20

  /// A row, with its request or why there is none.
  struct Entry {
    let row: PersonRow
    let request: Result<RequestBuilder, RowFault>
  }

  init(_ client: BlockingClient) { self.client = client }

  /// Fewer with passwords, which take long to hash: so the progress shows, and an interruption need not wait.
  private static let passwordsMost = 16
  private var passwords = 0

  var isFull: Bool {
    rows.count >= Self.rowsMost || requests.count >= Self.bytesMost || passwords >= Self.passwordsMost
  }

  /// Adds a row. One that the server is not asked about keeps its place among the others.
  func add(_ entry: Entry) {
    rows.append(entry)
    if entry.row.cell(.password) != nil { passwords += 1 }
    if case .success(let request) = entry.request { request.append(to: &requests) }
  }

  /// Sends what was added.
  func send() throws(ClientError) {
    client.send(raw: requests)
    requests.removeAll(keepingCapacity: true)
    try client.flush()
  }

  /// What became of each row, in the order in which they were added.
  func collect(_ body: (Entry, Result<EncodedReply, RowFault>) throws -> Void) throws {
    let rows = rows
    self.rows = []
    passwords = 0
    for entry in rows {
      switch entry.request {
      case .success: try body(entry, .success(try client.encodedReply()))
      case .failure(let fault): try body(entry, .failure(fault))
      }
    }
  }
}
