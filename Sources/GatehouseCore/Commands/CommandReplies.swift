/// The command table as `COMMAND` and `HELP` show it.
extension Reply {
  /// The ten elements of an entry: name, arity, flags, first key, last key, step, categories, tips, key
  /// specifications, subcommands. Gatehouse has no keys.
  public mutating func commandInfos(_ specs: [CommandSpec?]) {
    array(specs.count)
    for spec in specs {
      guard let spec else {
        null()
        continue
      }
      array(10)
      text(spec.fullName)
      integer(spec.arity)
      let flags = spec.flags
      array(flags.count)
      for flag in flags { tag(flag) }
      for _ in 0..<3 { integer(0) }
      array(1)
      tag("@\(spec.group.rawValue)")
      for _ in 0..<2 { array(0) }
      commandInfos(spec.subcommands)
    }
  }

  /// A map from name to documentation, as `COMMAND DOCS` returns it.
  public mutating func commandDocs(_ specs: [CommandSpec]) {
    map(specs.count)
    for spec in specs {
      // The subcommands list their own arguments.
      let arguments = spec.subcommands.isEmpty ? spec.arguments : []
      text(spec.fullName)
      map(5 + (arguments.isEmpty ? 0 : 1) + (spec.subcommands.isEmpty ? 0 : 1))
      text("summary")
      text(spec.summary)
      text("since")
      text("0.1.0")
      text("group")
      text(spec.group.rawValue)
      text("reply")
      text(spec.reply)
      text("needs")
      text(spec.needText)
      if !arguments.isEmpty {
        text("arguments")
        array(arguments.count)
        for argument in arguments { document(argument) }
      }
      if !spec.subcommands.isEmpty {
        text("subcommands")
        commandDocs(spec.subcommands)
      }
    }
  }

  private mutating func document(_ argument: Argument) {
    var flags: [String] = []
    if argument.isOptional { flags.append("optional") }
    if argument.repeats { flags.append("multiple") }
    // The token stands before each of several values.
    if argument.repeats, argument.token != nil { flags.append("multiple_token") }
    if argument.isCounted { return document(counted: argument, flags) }
    let parts = argument.parts
    map(2 + (argument.token == nil ? 0 : 1) + (flags.isEmpty ? 0 : 1) + (parts.isEmpty ? 0 : 1))
    text("name")
    text(argument.name)
    text("type")
    text(argument.kind.rawValue)
    if let token = argument.token {
      text("token")
      text(token)
    }
    if !flags.isEmpty {
      text("flags")
      array(flags.count)
      for flag in flags { tag(flag) }
    }
    guard !parts.isEmpty else { return }
    text("arguments")
    array(parts.count)
    for part in parts {
      map(2)
      text("name")
      text(part)
      text("type")
      text("string")
    }
  }
}

extension Reply {
  /// `TOKEN n x1 … xn`: a block of the number and as many values.
  private mutating func document(counted argument: Argument, _ flags: [String]) {
    map(flags.isEmpty ? 4 : 5)
    text("name")
    text(argument.name)
    text("type")
    text("block")
    text("token")
    text(argument.token ?? "")
    if !flags.isEmpty {
      text("flags")
      array(flags.count)
      for flag in flags { tag(flag) }
    }
    text("arguments")
    array(2)
    map(2)
    text("name")
    text("count")
    text("type")
    text("integer")
    map(3)
    text("name")
    text(argument.name)
    text("type")
    text("string")
    text("flags")
    array(1)
    tag("multiple")
  }
}

extension CommandSpec {
  /// The flags in an entry of `COMMAND`.
  fileprivate var flags: [String] {
    var flags: [String] = [effect == .write ? "write" : "readonly"]
    if isOpen { flags.append("no_auth") }
    if rights.contains(.admin) { flags.append("admin") }
    if case .refused = inTransaction { flags.append("no_multi") }
    switch route {
    case .user, .session, .key, .identifier: flags.append("fast")
    case .connection, .directory, .everywhere: break
    }
    return flags
  }

  /// The forms of the command that can be sent: its subcommands, and the command itself unless it needs one.
  fileprivate var spoken: [CommandSpec] {
    if case .server(.none) = body { subcommands } else { [self] + subcommands }
  }
}

extension CommandTable {
  /// The help for all commands.
  public static var help: String {
    CommandSpec.Group.allCases.map { group in
      let specs = all.filter { $0.group == group }.flatMap(\.spoken)
      return "# \(group.rawValue)\n" + specs.map { "\($0.usage)\n    \($0.summary)\n" }.joined()
    }.joined(separator: "\n")
  }

  /// The help for the commands of a name, or of the part before its dot; nil if there are none.
  public static func help(on name: String) -> String? {
    let found =
      all.filter { $0.name == name || $0.name.hasPrefix("\(name).") }.flatMap(\.spoken)
      + all.flatMap(\.subcommands).filter { $0.spokenName == name }
    guard !found.isEmpty else { return nil }
    return found.map {
      "\($0.usage)\n    \($0.summary)\n    Answers \($0.reply)\n    Needs \($0.needText)\n"
    }.joined(separator: "\n")
  }
}
