import GatehouseCore
import GatehouseWire
import NIOCore

/// `COMMAND …`, `HELP` and the `HELP` of other commands: the command table, shown.
extension Connection {
  func commandCommand(_ command: ServerCommand.Command, _ request: Arguments) {
    switch command {
    case .all: add(shared: Self.allInfos.bytes(client.version))
    case .count: answer { $0.integer(CommandTable.all.count) }
    case .info:
      guard let wanted = named(request) else { return add(shared: Self.allInfos.bytes(client.version)) }
      answer { Self.infos(wanted, &$0) }
    case .docs:
      guard let wanted = named(request) else { return add(shared: Self.allDocs.bytes(client.version)) }
      answer { Self.docs(wanted.compactMap { $0 }, &$0) }
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

  private static let allInfos = SharedReply { infos(CommandTable.all.map { $0 }, &$0) }
  private static let allDocs = SharedReply { docs(CommandTable.all.map { $0 }, &$0) }

  /// The commands that a request names, each once: a request of many names must not make a reply of any length.
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

  /// The ten elements of an entry: name, arity, flags, first key, last key, step, categories, tips, key
  /// specifications, subcommands. Gatehouse has no keys.
  private static func infos(_ specs: [CommandSpec?], _ reply: inout Reply) {
    reply.array(specs.count)
    for spec in specs {
      guard let spec else {
        reply.null()
        continue
      }
      reply.array(10)
      reply.text(spec.fullName)
      reply.integer(spec.arity)
      let flags = flags(of: spec)
      reply.array(flags.count)
      for flag in flags { reply.tag(flag) }
      for _ in 0..<3 { reply.integer(0) }
      reply.array(1)
      reply.tag("@\(spec.group.rawValue)")
      for _ in 0..<2 { reply.array(0) }
      infos(spec.subcommands, &reply)
    }
  }

  private static func flags(of spec: CommandSpec) -> [String] {
    var flags: [String] = [spec.effect == .write ? "write" : "readonly"]
    if spec.isOpen { flags.append("no_auth") }
    if spec.rights.contains(.admin) { flags.append("admin") }
    if case .refused = spec.inTransaction { flags.append("no_multi") }
    switch spec.route {
    case .user, .session, .identifier: flags.append("fast")
    case .connection, .directory, .everywhere: break
    }
    return flags
  }

  private static func docs(_ specs: [CommandSpec], _ reply: inout Reply) {
    reply.map(specs.count)
    for spec in specs {
      // What the subcommands take is said with them.
      let arguments = spec.subcommands.isEmpty ? spec.arguments : []
      reply.text(spec.fullName)
      reply.map(5 + (arguments.isEmpty ? 0 : 1) + (spec.subcommands.isEmpty ? 0 : 1))
      reply.text("summary")
      reply.text(spec.summary)
      reply.text("since")
      reply.text("0.1.0")
      reply.text("group")
      reply.text(spec.group.rawValue)
      reply.text("reply")
      reply.text(spec.reply)
      reply.text("needs")
      reply.text(spec.need.text)
      if !arguments.isEmpty {
        reply.text("arguments")
        reply.array(arguments.count)
        for argument in arguments { document(argument, &reply) }
      }
      if !spec.subcommands.isEmpty {
        reply.text("subcommands")
        docs(spec.subcommands, &reply)
      }
    }
  }

  private static func document(_ argument: Argument, _ reply: inout Reply) {
    var flags: [String] = []
    if argument.isOptional { flags.append("optional") }
    if argument.repeats { flags.append("multiple") }
    let parts = argument.parts
    reply.map(2 + (argument.token == nil ? 0 : 1) + (flags.isEmpty ? 0 : 1) + (parts.isEmpty ? 0 : 1))
    reply.text("name")
    reply.text(argument.name)
    reply.text("type")
    reply.text(argument.kind.rawValue)
    if let token = argument.token {
      reply.text("token")
      reply.text(token)
    }
    if !flags.isEmpty {
      reply.text("flags")
      reply.array(flags.count)
      for flag in flags { reply.tag(flag) }
    }
    guard !parts.isEmpty else { return }
    reply.text("arguments")
    reply.array(parts.count)
    for part in parts {
      reply.map(2)
      reply.text("name")
      reply.text(part)
      reply.text("type")
      reply.text("string")
    }
  }

  func help(_ request: Arguments) {
    guard request.count > 1 else {
      let text = CommandSpec.Group.allCases.map { group in
        let specs = CommandTable.all.filter { $0.group == group }.flatMap(\.spoken)
        return "# \(group.rawValue)\n" + specs.map { "\($0.usage)\n    \($0.summary)\n" }.joined()
      }
      return answer { $0.verbatim(text.joined(separator: "\n")) }
    }
    let name = (1..<request.count).map { request.string($0).uppercased() }.joined(separator: " ")
    let found =
      CommandTable.all.filter { $0.name == name || $0.name.hasPrefix("\(name).") }.flatMap(\.spoken)
      + CommandTable.all.flatMap(\.subcommands).filter { $0.spokenName == name }
    guard !found.isEmpty else {
      return refuse(.notFound("command '\(name.prefix(64))'; HELP lists them all"))
    }
    let text = found.map {
      "\($0.usage)\n    \($0.summary)\n    Answers \($0.reply)\n    Needs \($0.need.text)\n"
    }.joined(separator: "\n")
    answer { $0.verbatim(text) }
  }

  /// `HELP` as a subcommand: the lines that Redis' own give, made from the table.
  func subcommands(_ request: Arguments) {
    guard let place = CommandTable.index.find(request[0]) else { preconditionFailure("a subcommand of no command") }
    let command = CommandTable.entries[place]
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

extension CommandSpec {
  /// The ways in which a person writes the command: its subcommands, where it does nothing without one.
  fileprivate var spoken: [CommandSpec] {
    if case .server(.none) = body { subcommands } else { [self] + subcommands }
  }
}

/// Glob patterns as in Redis: `*`, `?`, `[…]`, `\`.
enum Glob {
  static let tooLong = Refusal.limit("pattern: at most \(Limits.patternBytes) bytes")

  /// The pattern in a word, in lower case; nil where it is too long. A long one would keep the lane, and all who are on
  /// it, from anything else.
  static func pattern(_ word: UnsafeRawBufferPointer) -> [UInt8]? {
    word.count <= Limits.patternBytes ? word.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 } : nil
  }

  static func matches(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
    var pattern = pattern
    var text = text
    // Where to go back to when what follows the last star does not fit.
    var retry: (pattern: ArraySlice<UInt8>, text: ArraySlice<UInt8>)?
    while true {
      if pattern.first == UInt8(ascii: "*") {
        retry = (pattern, text)
        pattern = pattern.dropFirst()
        continue
      }
      if let byte = text.first, let rest = matchOne(pattern, byte) {
        pattern = rest
        text = text.dropFirst()
        continue
      }
      if text.isEmpty, pattern.isEmpty { return true }
      guard let last = retry, !last.text.isEmpty else { return false }
      text = last.text.dropFirst()
      retry = (last.pattern, text)
      pattern = last.pattern.dropFirst()
    }
  }

  /// The pattern after what matches `byte`, or nil.
  private static func matchOne(_ pattern: ArraySlice<UInt8>, _ byte: UInt8) -> ArraySlice<UInt8>? {
    guard let first = pattern.first else { return nil }
    let rest = pattern.dropFirst()
    switch first {
    case UInt8(ascii: "?"): return rest
    case UInt8(ascii: "\\") where !rest.isEmpty: return rest.first == byte ? rest.dropFirst() : nil
    case UInt8(ascii: "["):
      guard let end = rest.firstIndex(of: UInt8(ascii: "]")) else { return nil }
      var set = rest[..<end]
      let isNegated = set.first == UInt8(ascii: "^")
      if isNegated { set = set.dropFirst() }
      var found = false
      while let low = set.popFirst() {
        if set.first == UInt8(ascii: "-"), set.count > 1 {
          set = set.dropFirst()
          if let high = set.popFirst(), low <= byte, byte <= high { found = true }
        } else if low == byte {
          found = true
        }
      }
      return found != isNegated ? rest[(end + 1)...] : nil
    default: return first == byte ? rest : nil
    }
  }
}

/// A reply that is the same for everybody, encoded once for each version of the protocol.
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
