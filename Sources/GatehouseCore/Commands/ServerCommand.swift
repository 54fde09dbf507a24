/// The commands that the server itself carries out, for they are about connections, clocks or files.
public enum ServerCommand: Sendable {
  case ping, echo, hello, auth, quit, reset, select, time
  case client, command, help, info, config, dbsize
  case bgsave, save, lastsave, shutdown, slowlog, latency, monitor, memory, role, module, waitaof, compact
  case auditList, auditVerify
}
