import Glibc
import NIOCore
import NIOPosix

/// Calls a lane's next round through a socket of its event loop.
///
/// A round must not begin before the loop has looked at its sockets. Tasks do not do that, not even those for a later
/// time: the loop carries out all that are due before it looks, and while these are carried out others become due. What
/// comes out of a socket comes after a look at all of them. It costs two system calls a round of a millisecond.
final class RoundBell {
  private let rope: NIOBSDSocket.Handle

  private init(rope: NIOBSDSocket.Handle) { self.rope = rope }

  deinit { close(rope) }

  /// Has `ring` call `onRing` on the loop; to be called on it. Fails with `IOError` where no descriptors are left.
  static func hang(on loop: any EventLoop, _ onRing: @escaping () -> Void) -> EventLoopFuture<NIOLoopBound<RoundBell>> {
    var ends: [Int32] = [0, 0]
    guard
      socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0
    else { return loop.makeFailedFuture(IOError(errnoCode: errno, reason: "socketpair")) }
    let bell = NIOLoopBound(RoundBell(rope: ends[1]), eventLoop: loop)
    let clapper = NIOLoopBound(Clapper(onRing), eventLoop: loop)
    return ClientBootstrap(group: loop)
      .channelOption(.maxMessagesPerRead, value: 1)
      .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 64))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(clapper.value) }
      }
      .withConnectedSocket(ends[0]).map { _ in bell }
  }

  func ring() { _ = write(rope, "!", 1) }

  private final class Clapper: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let onRing: () -> Void

    init(_ onRing: @escaping () -> Void) { self.onRing = onRing }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { onRing() }
  }
}

extension Lane {
  /// Has the lane's rounds called through a socket; to be called on its loop.
  func hangBell() -> EventLoopFuture<Void> {
    RoundBell.hang(on: loop) { [unowned self] in runRound() }.map { self.bell = $0.value }
  }
}
