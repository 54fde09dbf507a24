/// All commands. One entry here is all that a new command needs.
public enum CommandTable {
  /// The commands that a request can begin with; each has its subcommands in it.
  public static let all: [CommandSpec] =
    loginCommands + sessionCommands + impersonationCommands + timerCommands + entryCommands + peopleCommands
    + contactCommands + listCommands + searchCommands + workspaceCommands + productCommands + roleCommands + permissionCommands + serviceCommands
    + connectionCommands + serverCommands + auditCommands + refusalCommands

  /// Stands in a turn that has not begun.
  static let unknown = CommandSpec(
    "", .server, "", reply: "", needs: .nothing, route: .connection, body: .server(.ping))

  public static let index = CommandIndex(all)

  /// All commands and their subcommands, by the place that metrics and turns know them by.
  public static var entries: [CommandSpec] { index.commands }
}

/// Finds a command by its name in any case: open addressing over a hash of the upper-case bytes, without
/// building a string.
public final class CommandIndex: Sendable {
  /// The commands, and after them the subcommands of all.
  public let commands: [CommandSpec]
  /// What the gates ask of each command.
  let gates: ContiguousArray<CommandGate>
  private let names: [ContiguousArray<UInt8>]
  private let slots: ContiguousArray<UInt16>
  /// Where the subcommands of a command lie among the commands.
  private let subcommands: [Int: Range<Int>]

  public init(_ commands: [CommandSpec]) {
    var all = commands
    var subcommands: [Int: Range<Int>] = [:]
    for (place, command) in commands.enumerated() where !command.subcommands.isEmpty {
      subcommands[place] = all.count..<all.count + command.subcommands.count
      all += command.subcommands
    }
    self.commands = all
    self.subcommands = subcommands
    gates = ContiguousArray(all.map(CommandGate.init))
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

  /// The place of a command's subcommand of this name, in any case.
  public func find(_ subcommand: UnsafeRawBufferPointer, of place: Int) -> Int? {
    subcommands[place]?.first { index in
      let name = commands[index].name.utf8.drop { $0 != UInt8(ascii: "|") }.dropFirst()
      return name.count == subcommand.count && zip(name, subcommand).allSatisfy { $0 == Self.upper($1) }
    }
  }

  /// The place of a command by the name that tools give it: `login.check`, `client|list`.
  public func find(fullName: UnsafeRawBufferPointer) -> Int? {
    guard let bar = fullName.firstIndex(of: UInt8(ascii: "|")) else { return find(fullName) }
    let command = UnsafeRawBufferPointer(rebasing: fullName[..<bar])
    let subcommand = UnsafeRawBufferPointer(rebasing: fullName[(bar + 1)...])
    return find(command).flatMap { find(subcommand, of: $0) }
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
