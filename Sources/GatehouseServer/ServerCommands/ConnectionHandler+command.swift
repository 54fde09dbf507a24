import GatehouseCore

/// `COMMAND …` and `HELP`: the command table, shown.
extension ConnectionHandler {
  func commandCommand(_ request: Arguments) {
    guard request.count > 1 else { return answer { Self.infos(CommandTable.all.map { $0 }, &$0) } }
    switch request.string(1).lowercased() {
    case "count" where request.count == 2: answer { $0.integer(CommandTable.all.count) }
    case "info":
      let wanted = named(request)
      answer { Self.infos(wanted ?? CommandTable.all.map { $0 }, &$0) }
    case "docs":
      let wanted = named(request)
      answer { Self.docs((wanted ?? CommandTable.all.map { $0 }).compactMap { $0 }, &$0) }
    case "list":
      let names = listed(request)
      guard let names else { return refuse(.syntax("syntax error")) }
      answer {
        $0.array(names.count)
        for name in names { $0.text(name) }
      }
    case "getkeys", "getkeysandflags": refuse(.syntax("The command has no key arguments"))
    case "help":
      answer {
        let lines = [
          "COMMAND", "COMMAND COUNT", "COMMAND INFO [name …]", "COMMAND DOCS [name …]",
          "COMMAND LIST [FILTERBY PATTERN p]",
        ]
        $0.array(lines.count)
        for line in lines { $0.simple(line) }
      }
    case "count": wrongArity(request)
    default: unknownSubcommand(request)
    }
  }

  /// The commands that a request names, each once: a request of many names must not make a reply of any length.
  private func named(_ request: Arguments) -> [CommandSpec?]? {
    guard request.count > 2 else { return nil }
    var seen = Set<Int>()
    return (2..<request.count).map { CommandTable.index.find(request[$0]) }
      .filter { $0.map { seen.insert($0).inserted } ?? true }
      .map { $0.map { CommandTable.all[$0] } }
  }

  private func listed(_ request: Arguments) -> [String]? {
    let names = CommandTable.all.map { $0.name.lowercased() }
    if request.count == 2 { return names }
    guard request.count == 5, request.string(2).lowercased() == "filterby" else { return nil }
    switch request.string(3).lowercased() {
    case "pattern":
      let pattern = Array(request.string(4).lowercased().utf8)
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
      reply.text(spec.name.lowercased())
      reply.integer(spec.arity)
      let flags = flags(of: spec)
      reply.array(flags.count)
      for flag in flags { reply.simple(flag) }
      for _ in 0..<3 { reply.integer(0) }
      reply.array(1)
      reply.simple("@\(spec.group.rawValue)")
      for _ in 0..<3 { reply.array(0) }
    }
  }

  private static func flags(of spec: CommandSpec) -> [String] {
    var flags: [String] = [spec.effect == .write ? "write" : "readonly"]
    if spec.isOpen { flags.append("no_auth") }
    if spec.rights.contains(.admin) { flags.append("admin") }
    switch spec.route {
    case .user, .session, .identifier: flags.append("fast")
    case .connection, .directory, .everywhere: break
    }
    return flags
  }

  private static func docs(_ specs: [CommandSpec], _ reply: inout Reply) {
    reply.map(specs.count)
    for spec in specs {
      reply.text(spec.name.lowercased())
      let hasArguments = !spec.arguments.isEmpty
      reply.map(hasArguments ? 5 : 4)
      reply.text("summary")
      reply.text(spec.summary)
      reply.text("since")
      reply.text("0.1.0")
      reply.text("group")
      reply.text(spec.group.rawValue)
      reply.text("reply")
      reply.text(spec.reply)
      guard hasArguments else { continue }
      reply.text("arguments")
      reply.array(spec.arguments.count)
      for argument in spec.arguments { document(argument, &reply) }
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
      for flag in flags { reply.simple(flag) }
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
        let specs = CommandTable.all.filter { $0.group == group }
        return "# \(group.rawValue)\n" + specs.map { "\($0.usage)\n    \($0.summary)\n" }.joined()
      }
      return answer { $0.verbatim(text.joined(separator: "\n")) }
    }
    let name = request.string(1).uppercased()
    let found = CommandTable.all.filter { $0.name == name || $0.name.hasPrefix("\(name).") }
    guard !found.isEmpty else {
      return refuse(.notFound("command '\(name.prefix(64))'; HELP lists them all"))
    }
    let text = found.map { "\($0.usage)\n    \($0.summary)\n    Answers \($0.reply)\n" }.joined(separator: "\n")
    answer { $0.verbatim(text) }
  }
}

/// Glob patterns as in Redis: `*`, `?`, `[…]`, `\`.
enum Glob {
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
