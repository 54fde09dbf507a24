import GatehouseCore
import GatehouseWire
import NIOCore

/// A finished reply, encoded for its connection's protocol version, and the LSN it waits for.
struct EncodedReply: Sendable {
  let bytes: ByteBuffer
  private(set) var horizon: LSN
  /// The first word of an error.
  let errorCode: String?

  init(_ reply: Reply, horizon: LSN, version: ProtocolVersion) {
    var bytes = ByteBuffer()
    ReplyEncoder.encode(reply, version, into: &bytes)
    self.bytes = bytes
    self.horizon = horizon
    errorCode = reply.isError ? reply.errorCode : nil
  }

  /// The same reply, waiting for another record too.
  func waiting(for lsn: LSN) -> EncodedReply {
    var reply = self
    reply.horizon = max(horizon, lsn)
    return reply
  }

  init(_ refusal: Refusal, version: ProtocolVersion) {
    var reply = Reply()
    reply.error(refusal.text)
    self.init(reply, horizon: 0, version: version)
  }
}

/// A reply that is computed off the connection's lane and owed to the connection: a ticket for its slot in the reply
/// queue. `give` may be called from any thread.
struct Answer: @unchecked Sendable {
  let ticket: UInt64
  /// Used on its own lane only.
  let connection: Connection
  let home: Lane
  /// The command, for its metrics: its time and its errors are counted when the answer is given.
  let command: LateCommand

  /// The same answer, in which a time that the command has only waited for something does not count as its own.
  func notCounting(nanoseconds: UInt64) -> Answer {
    Answer(ticket: ticket, connection: connection, home: home, command: command.notCounting(nanoseconds: nanoseconds))
  }

  func give(_ reply: EncodedReply) {
    home.loop.execute {
      home.endLate(command, connection.client)
      if let commandIndex = command.commandIndex, let code = reply.errorCode { home.failed(commandIndex, code) }
      connection.deliver(ticket, reply)
    }
  }
}
