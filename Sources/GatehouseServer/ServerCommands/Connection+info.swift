import GatehouseCore

/// `INFO`.
extension Connection {
  func info(_ request: Arguments) {
    let wanted = Set((1..<max(1, request.count)).map { request.string($0).lowercased() })
    later { context in
      var reply = Reply()
      reply.verbatim(await ServerFigures(context).text(wanted))
      return (reply, 0)
    }
  }
}

extension ServerFigures {
  /// Sections that are shown only by name, or with `all` or `everything`.
  private static let detailed: Set<String> = ["commandstats", "errorstats", "latencystats", "httpstats", "seats"]

  /// The sections as `INFO` shows them.
  ///
  /// - Parameter wanted: the names of sections, in lower case; those of interest if there are none.
  func text(_ wanted: Set<String>) -> String {
    let all = !wanted.isDisjoint(with: ["all", "everything"])
    let standard = wanted.isEmpty || wanted.contains("default") || all
    let shown = sections.filter { section in
      let name = section.name.lowercased()
      return wanted.contains(name) || all || (standard && !Self.detailed.contains(name))
    }
    return shown.map { section in
      "# \(section.name)\r\n" + section.figures().compactMap(\.field).map { "\($0.name):\($0.text)\r\n" }.joined()
    }.joined(separator: "\r\n")
  }
}
