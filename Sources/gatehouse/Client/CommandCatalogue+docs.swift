import GatehouseWire

extension CommandCatalogue {
  /// Parses the reply to `COMMAND DOCS`, of either protocol version.
  init(docs reply: RESPValue) {
    self.init((reply.pairs ?? []).compactMap { CommandHelp(name: $0.key.string ?? "", docs: $0.value) })
  }
}

extension CommandHelp {
  fileprivate init?(name: String, docs: RESPValue) {
    guard !name.isEmpty else { return nil }
    self.init(
      name: name.uppercased(),
      summary: docs["summary"]?.string ?? "",
      arguments: (docs["arguments"]?.elements ?? []).map(ArgumentHelpNode.init(docs:)),
      subcommands: (docs["subcommands"]?.pairs ?? []).compactMap {
        CommandHelp(name: $0.key.string ?? "", docs: $0.value)
      })
  }
}

extension ArgumentHelpNode {
  fileprivate init(docs: RESPValue) {
    let flags = Set((docs["flags"]?.elements ?? []).compactMap(\.string))
    self.init(
      name: docs["display_text"]?.string ?? docs["name"]?.string ?? "",
      kind: Kind(type: docs["type"]?.string),
      token: docs["token"]?.string,
      isOptional: flags.contains("optional"),
      isMultiple: flags.contains("multiple"),
      repeatsToken: flags.contains("multiple_token"),
      children: (docs["arguments"]?.elements ?? []).map(ArgumentHelpNode.init(docs:)))
  }
}

extension ArgumentHelpNode.Kind {
  fileprivate init(type: String?) {
    switch type {
    case "pure-token": self = .token
    case "oneof": self = .oneOf
    case "block": self = .block
    default: self = .value
    }
  }
}
