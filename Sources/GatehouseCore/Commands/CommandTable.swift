/// All commands. One entry here is all that a new command needs.
public enum CommandTable {
  public static let all: [CommandSpec] =
    loginCommands + sessionCommands + impersonationCommands + timerCommands + entryCommands + peopleCommands
    + listCommands + workspaceCommands + productCommands + roleCommands + serviceCommands + connectionCommands
    + serverCommands

  /// Stands in a turn that has not begun.
  static let unknown = CommandSpec(
    "", .server, "", reply: "", route: .connection, body: .server(.ping))

  public static let index = CommandIndex(all)
}

/// Finds a command by its name in any case: open addressing over a hash of the upper-case bytes, without
/// building a string.
public final class CommandIndex: Sendable {
  public let commands: [CommandSpec]
  /// What the gates ask of each command.
  let gates: ContiguousArray<CommandGate>
  private let names: [ContiguousArray<UInt8>]
  private let slots: ContiguousArray<UInt16>

  public init(_ commands: [CommandSpec]) {
    self.commands = commands
    gates = ContiguousArray(commands.map(CommandGate.init))
    names = commands.map { ContiguousArray($0.name.utf8) }
    var capacity = 64
    while capacity < commands.count * 4 { capacity *= 2 }
    var slots = ContiguousArray<UInt16>(repeating: 0, count: capacity)
    for (index, name) in names.enumerated() {
      var slot = name.withUnsafeBytes { Words.hash($0) } & (capacity - 1)
      while slots[slot] != 0 {
        precondition(names[Int(slots[slot]) - 1] != name, "two commands of one name")
        slot = (slot + 1) & (capacity - 1)
      }
      slots[slot] = UInt16(index + 1)
    }
    self.slots = slots
  }

  /// The place in `CommandTable.all` of the command of this name.
  @inline(__always)
  public func find(_ name: UnsafeRawBufferPointer) -> Int? {
    let mask = slots.count - 1
    var slot = Words.hash(name) & mask
    while slots[slot] != 0 {
      let index = Int(slots[slot]) - 1
      if Self.isName(names[index], name) { return index }
      slot = (slot + 1) & mask
    }
    return nil
  }

  @inline(__always)
  private static func upper(_ byte: UInt8) -> UInt8 { byte &- 0x61 < 26 ? byte & 0xdf : byte }

  @inline(__always)
  private static func isName(_ stored: ContiguousArray<UInt8>, _ name: UnsafeRawBufferPointer) -> Bool {
    guard stored.count == name.count else { return false }
    if stored.withUnsafeBytes({ sameBytes($0, name) }) { return true }
    for index in 0..<name.count where stored[index] != upper(name[index]) { return false }
    return true
  }
}
