/// The version of the Redis protocol that a connection speaks: 2 until `HELLO 3`.
public enum ProtocolVersion: Int, Sendable, BitwiseCopyable {
  case resp2 = 2
  case resp3 = 3
}
