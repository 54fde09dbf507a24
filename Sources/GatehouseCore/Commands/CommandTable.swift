/// All commands. A new command needs only an entry here.
public enum CommandTable {
  /// The commands that a request can start with; each contains its subcommands.
  public static let all: [CommandSpec] =
    loginCommands + sessionCommands + impersonationCommands + timerCommands + entryCommands + peopleCommands
    + provisioningCommands
    + contactCommands + fieldCommands + listCommands + searchCommands + workspaceCommands + productCommands
    + purgeCommands + restoreCommands + anonymiseCommands + copyCommands + bulkCommands + mergeCommands + undoCommands
    + approvalCommands
    + linkCommands + linkedPeopleCommands + roleCommands + permissionCommands + accountCommands + groupCommands
    + employmentCommands
    + managementCommands + serviceCommands + connectionCommands + serverCommands + auditCommands + refusalCommands
    + mailCommands + mailListCommands + mailTemplateCommands + inviteCommands + createManyCommands + feedCommands
    + seatCommands + webhookCommands + webhookListCommands
    + passwordLoginCommands + secondFactorCommands + passwordCommands + apiKeyCommands

  /// Stands in for the command of a turn that has not begun.
  static let unknown = CommandSpec(
    "", .server, "", reply: "", needs: .nothing, route: .connection, body: .server(.ping))

  public static let index = CommandIndex(all)

  /// All commands and subcommands, by the index that metrics and turns use.
  public static var entries: [CommandSpec] { index.commands }
}

/// Finds a command by its name in any case: a hash table with open addressing over the upper-case bytes. It builds no
/// string.
public final class CommandIndex: Sendable {
  /// The commands, followed by all subcommands.
  public let commands: [CommandSpec]
  /// What the gates check for each command.
  let gates: ContiguousArray<CommandGate>
  private let names: [ContiguousArray<UInt8>]
  private let slots: ContiguousArray<UInt16>
  /// The indexes of a command's subcommands.
  private let subcommands: [Int: Range<Int>]

  public init(_ commands: [CommandSpec]) {
    var all = commands
    var subcommands: [Int: Range<Int>] = [:]
    for (commandIndex, command) in commands.enumerated() where !command.subcommands.isEmpty {
      subcommands[commandIndex] = all.count..<all.count + command.subcommands.count
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
        precondition(names[Int(slots[slot]) - 1] != name, "two commands have the same name")
        slot = (slot + 1) & (capacity - 1)
      }
      slots[slot] = UInt16(index + 1)
    }
    self.slots = slots
  }

  /// The index of the command with this name, in any case.
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

  /// The index of a command's subcommand with this name, in any case.
  public func find(_ subcommand: UnsafeRawBufferPointer, of commandIndex: Int) -> Int? {
    subcommands[commandIndex]?.first { index in
      let name = commands[index].name.utf8.drop { $0 != UInt8(ascii: "|") }.dropFirst()
      return name.count == subcommand.count && zip(name, subcommand).allSatisfy { $0 == Self.upper($1) }
    }
  }

  /// The index of a command by its full name: `login.check`, `client|list`.
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
