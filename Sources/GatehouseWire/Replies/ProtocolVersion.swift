/// The version of the Redis protocol a connection speaks: 2 until `HELLO 3` asks for the other.
public enum ProtocolVersion: Int, Sendable, BitwiseCopyable {
  case resp2 = 2
  case resp3 = 3
}
