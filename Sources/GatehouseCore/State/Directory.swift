/// What belongs to no one contact: workspaces, products, pools, services, roles, accounts and groups.
///
/// An immutable value: each thread reads the newest one, so a decision enters nothing for it. `DirectoryState` makes
/// the next one. Each table defines how it is read.
public final class Directory: Sendable {
  public let lsn: LSN
  let tables: DirectoryTables
  /// The known time zones. They come from the machine, and are in no record and no snapshot.
  public let zones: ZoneTable

  init(lsn: LSN, tables: DirectoryTables, zones: ZoneTable) {
    self.lsn = lsn
    self.tables = tables
    self.zones = zones
  }
}
