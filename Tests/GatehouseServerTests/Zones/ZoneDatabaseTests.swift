import GatehouseCore
import Testing

@testable import GatehouseServer

@Suite("The zones of the system") struct ZoneDatabaseTests {
  @Test func allAreRead() throws {
    let (table, problems) = try ZoneDatabase.read("/usr/share/zoneinfo")
    #expect(problems.isEmpty)
    #expect(table.count > 400)
    for name in ["Europe/Prague", "America/Argentina/Buenos_Aires", "NZ", "UTC", "Etc/GMT+12"] {
      #expect(table.zone(name)?.name == name)
    }
    #expect(table.zone("posix/UTC") == nil && table.zone("localtime") == nil && table.zone("zone.tab") == nil)
  }

  @Test func aFolderWithoutZonesIsRefused() {
    #expect(throws: ZoneDatabase.Missing.self) { try ZoneDatabase.read("/proc/self/fdinfo") }
    #expect(throws: ZoneDatabase.Missing.self) { try ZoneDatabase.read("/nowhere") }
  }
}
