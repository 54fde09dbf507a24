import GatehouseCore
import GatehouseWire
import NIOCore

/// `COMMAND …`, `HELP`, and `HELP` as a subcommand: views of the command table.
extension Connection {
  func commandCommand(_ command: ServerCommand.Command, _ request: Arguments) {
    switch command {
    case .all: add(shared: Self.allInfos.bytes(client.version))
    case .count: answer { $0.integer(CommandTable.all.count) }
    case .info:
      guard let wanted = named(request) else { return add(shared: Self.allInfos.bytes(client.version)) }
      answer { $0.commandInfos(wanted) }
    case .docs:
      guard let wanted = named(request) else { return add(shared: Self.allDocs.bytes(client.version)) }
      answer { $0.commandDocs(wanted.compactMap { $0 }) }
    case .list:
      if request.count == 5, Glob.pattern(request[4]) == nil { return refuse(Glob.tooLong) }
      guard let names = listed(request) else { return refuse(.syntax("syntax error")) }
      answer {
        $0.array(names.count)
        for name in names { $0.text(name) }
      }
    case .keys: refuse(.syntax("The command has no key arguments"))
    }
  }

  private static let allInfos = SharedReply { $0.commandInfos(CommandTable.all) }
  private static let allDocs = SharedReply { $0.commandDocs(CommandTable.all) }

  /// The commands that a request names, each once, so that a request with many names cannot make an arbitrarily long
  /// reply.
  private func named(_ request: Arguments) -> [CommandSpec?]? {
    guard request.count > 2 else { return nil }
    var seen = Set<Int>()
    return (2..<request.count).map { CommandTable.index.find(fullName: request[$0]) }
      .filter { $0.map { seen.insert($0).inserted } ?? true }
      .map { $0.map { CommandTable.entries[$0] } }
  }

  /// Names of commands and, as in Redis, of subcommands.
  private func listed(_ request: Arguments) -> [String]? {
    let names = CommandTable.all.flatMap { [$0] + $0.subcommands }.map(\.fullName)
    if request.count == 2 { return names }
    guard request.count == 5, request.string(2).lowercased() == "filterby" else { return nil }
    switch request.string(3).lowercased() {
    case "pattern":
      let pattern = Glob.pattern(request[4]) ?? []
      return names.filter { Glob.matches(pattern[...], Array($0.utf8)[...]) }
    case "module", "aclcat": return []
    default: return nil
    }
  }

  func help(_ request: Arguments) {
    guard request.count > 1 else { return answer { $0.verbatim(CommandTable.help) } }
    let name = (1..<request.count).map { request.string($0).uppercased() }.joined(separator: " ")
    guard let text = CommandTable.help(on: name) else {
      return refuse(.notFound("command '\(name.prefix(64))'; HELP lists them all"))
    }
    answer { $0.verbatim(text) }
  }

  /// `HELP` as a subcommand: lines in the form of Redis', generated from the table.
  func subcommands(_ request: Arguments) {
    guard let commandIndex = CommandTable.index.find(request[0]) else {
      preconditionFailure("a subcommand of no command")
    }
    let command = CommandTable.entries[commandIndex]
    let lines = command.subcommands.flatMap { part in
      [String(part.usage.dropFirst(command.name.count + 1)), "    \(part.summary)."]
    }
    answer {
      $0.array(1 + lines.count)
      $0.text("\(command.name) <subcommand> [<arg> [value] [opt] ...]. Subcommands are:")
      for line in lines { $0.text(line) }
    }
  }
}

/// A reply that is the same for everybody, encoded once per protocol version.
struct SharedReply: Sendable {
  private let resp2: ByteBuffer
  private let resp3: ByteBuffer

  init(_ build: (inout Reply) -> Void) {
    var reply = Reply()
    build(&reply)
    func encoded(_ version: ProtocolVersion) -> ByteBuffer {
      var bytes = ByteBuffer()
      ReplyEncoder.encode(reply, version, into: &bytes)
      return bytes
    }
    resp2 = encoded(.resp2)
    resp3 = encoded(.resp3)
  }

  func bytes(_ version: ProtocolVersion) -> ByteBuffer {
    switch version {
    case .resp2: resp2
    case .resp3: resp3
    }
  }
}
