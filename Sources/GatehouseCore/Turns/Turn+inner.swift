/// A command that is a part of another: decided by the same turn, with words of its own, as a part of the same record.
extension Turn {
  /// Runs the body of another command. What it emits and replies is added to what the outer command does.
  ///
  /// - Parameter prepare: runs before the body, when the words are those of the other command.
  func performInside(_ words: [String], _ prepare: () throws(Halt) -> Void) throws(Halt) {
    var name = words.first ?? ""
    guard let command = name.withUTF8({ table.find(UnsafeRawBufferPointer($0)) }),
      let body = table.commands[command].decision
    else { throw .refused(.notFound("command \(name)")) }
    let outer = (arguments: arguments, spec: spec, gate: gate, chosen: chosen)
    defer {
      (arguments, spec, gate, chosen) = (outer.arguments, outer.spec, outer.gate, outer.chosen)
      forgetName()
    }
    let result = OwnedArguments(words).withView { view in
      Result { () throws(Halt) in
        arguments = view
        (spec, gate, chosen) = (table.commands[command], table.gates[command], [])
        forgetName()
        try readOptions()
        try prepare()
        try body(self)
      }
    }
    try result.get()
  }

  /// Forgets what was computed of a word that is no longer the command's.
  private func forgetName() {
    lookahead = .none
    foldedWord = -1
    foldedKey = nil
  }
}
