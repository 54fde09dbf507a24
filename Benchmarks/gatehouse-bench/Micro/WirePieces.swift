import GatehouseCore
import GatehouseWire
import NIOCore

extension MicroPiece {
  /// From bytes to words, and from replies to bytes.
  static let wirePieces = [
    MicroPiece(name: "parse-login") {
      parse(RequestEncoder.encode(["LOGIN.CHECK", "user000000012345", "payroll"]), times: $0)
    },
    MicroPiece(name: "parse-inline") { parse(Array("LOGIN.CHECK user000000012345 payroll\r\n".utf8), times: $0) },
    MicroPiece(name: "encode-allow") { encode(MicroReplies.allow, .resp2, times: $0) },
    MicroPiece(name: "encode-session-resp2") { encode(MicroReplies.session, .resp2, times: $0) },
    MicroPiece(name: "encode-session-resp3") { encode(MicroReplies.session, .resp3, times: $0) },
  ]

  private static func parse(_ request: [UInt8], times: Int) -> Int {
    var parser = RequestParser(authenticated: true)
    var sum = 0
    request.withUnsafeBytes { bytes in
      for _ in 0..<times {
        guard case .request(let consumed) = parser.next(bytes) else { preconditionFailure("half a request") }
        sum &+= consumed &+ parser.arguments(in: bytes).count
      }
    }
    return sum
  }

  private static func encode(_ reply: Reply, _ version: ProtocolVersion, times: Int) -> Int {
    var buffer = ByteBufferAllocator().buffer(capacity: 4096)
    var sum = 0
    for _ in 0..<times {
      buffer.clear()
      ReplyEncoder.encode(reply, version, into: &buffer)
      sum &+= buffer.readableBytes
    }
    return sum
  }
}

/// Replies such as commands give.
private enum MicroReplies {
  static var allow: Reply {
    var reply = Reply()
    reply.text("ALLOW")
    return reply
  }

  /// The reply to `SESSION.CHECK`.
  static var session: Reply {
    var reply = Reply()
    reply.map(10)
    reply.text("id")
    reply.integer(812_345)
    reply.text("kind")
    reply.text("login")
    reply.text("user")
    reply.integer(12_345)
    reply.text("username")
    reply.text("user000000012345")
    reply.text("product")
    reply.text("payroll")
    reply.text("workspace")
    reply.text("main")
    reply.text("actor")
    reply.null()
    reply.text("created")
    reply.integer(1_767_225_600_000)
    reply.text("expires")
    reply.integer(1_767_268_800_000)
    reply.text("last-seen")
    reply.integer(1_767_225_600_000)
    return reply
  }
}
