/// What belongs to no one contact: workspaces, products, pools, services and roles.
///
/// A value that never changes: each thread reads the newest one, so that a decision enters nothing for it.
/// `DirectoryState` makes the next one. How each of its tables is read stands with the table.
public final class Directory: Sendable {
  public let lsn: LSN
  let tables: DirectoryTables
  /// The time zones that decisions know of. No record and no snapshot holds them: they come from the machine.
  public let zones: ZoneTable

  init(lsn: LSN, tables: DirectoryTables, zones: ZoneTable) {
    self.lsn = lsn
    self.tables = tables
    self.zones = zones
  }
}
