import GatehouseCore
import GatehouseWire
import NIOCore

/// A connection as `CLIENT INFO` and `CLIENT LIST` show it: first all fields of Redis 7.4 in its order, because some
/// libraries read them by position; then newer fields, which libraries look up by name.
struct ClientLine {
  /// Names and values. A figure without a counterpart here has the value that Redis shows for "none". Replies are built
  /// in the lane's buffer, so no connection has a reply buffer of its own.
  let fields: [(name: String, value: String)]

  init(_ connection: Connection, at now: Milliseconds) {
    let client = connection.client
    let memory = Memory(connection)
    fields = [
      ("id", "\(client.id)"), ("addr", client.address), ("laddr", client.localAddress),
      ("fd", "\(connection.transport.descriptor)"), ("name", client.name),
      ("age", "\((now - client.connected) / 1000)"), ("idle", "\((now - client.lastCommand) / 1000)"),
      ("flags", Self.flags(connection)), ("db", "0"),
      ("sub", "\(connection.subscriptions.channels.count)"),
      ("psub", "\(connection.subscriptions.patterns.count)"), ("ssub", "0"),
      ("multi", "\(connection.transaction.count ?? -1)"), ("watch", "0"), ("qbuf", "\(memory.unread)"),
      ("qbuf-free", "\(memory.unreadFree)"), ("argv-mem", "0"), ("multi-mem", "\(memory.transaction)"),
      ("rbs", "0"), ("rbp", "0"), ("obl", "0"),
      ("oll", "\(connection.queue.count)"), ("omem", "\(memory.waiting)"), ("tot-mem", "\(memory.total)"),
      ("events", memory.isSending ? "rw" : "r"),
      ("cmd", client.lastCommandIndex < 0 ? "NULL" : CommandTable.entries[client.lastCommandIndex].fullName),
      ("user", client.userName), ("redir", "-1"), ("resp", "\(client.version.rawValue)"),
      ("lib-name", client.libraryName), ("lib-ver", client.libraryVersion), ("tot-net-in", "\(client.inputBytes)"),
      ("tot-net-out", "\(client.outputBytes)"), ("tot-cmds", "\(client.commands)"),
    ]
  }

  var text: String { fields.map { "\($0.name)=\($0.value)" }.joined(separator: " ") }

  /// O for a monitor, P for a subscriber, x inside a transaction, e and T for `CLIENT NO-EVICT` and `NO-TOUCH`, N for none of them.
  private static func flags(_ connection: Connection) -> String {
    var flags = ""
    if connection.isMonitor { flags += "O" }
    if !connection.subscriptions.isEmpty { flags += "P" }
    if connection.transaction.count != nil { flags += "x" }
    if connection.client.isNotEvicted { flags += "e" }
    if connection.client.isNotTouching { flags += "T" }
    return flags.isEmpty ? "N" : flags
  }

  /// Bytes of memory that the connection uses.
  private struct Memory {
    let unread: Int
    let unreadFree: Int
    let transaction: Int
    /// Replies that wait for the log, for earlier commands or for the socket.
    let waiting: Int
    let isSending: Bool
    let total: Int

    init(_ connection: Connection) {
      unread = connection.unread.readableBytes
      unreadFree = max(0, connection.unread.capacity - unread)
      transaction = connection.transaction.bytes
      waiting = connection.untakenBytes
      isSending = !connection.outbox.isEmpty
      total = connection.unread.capacity + transaction + waiting
    }
  }
}
