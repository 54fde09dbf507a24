package import Foundation
package import GatehouseCore

/// Time zones from the system's database, for tests of the core, which reads no files.
package enum TestZones {
  private static let names = [
    "Africa/Casablanca", "America/Los_Angeles", "America/Santiago", "America/Sao_Paulo", "America/St_Johns",
    "Asia/Gaza", "Asia/Kolkata", "Europe/Amsterdam", "Europe/Berlin", "Europe/Dublin", "Europe/Lisbon",
    "Europe/Prague", "NZ", "Pacific/Apia", "Pacific/Auckland", "Pacific/Kiritimati", "UTC",
  ]

  package static let table = ZoneTable(names.map { Zone(name: $0, rules: rules($0)) })

  package static func bytes(_ name: String) -> Data {
    guard let data = FileManager.default.contents(atPath: "/usr/share/zoneinfo/\(name)") else {
      preconditionFailure("the zone \(name) is not there; install the package tzdata")
    }
    return data
  }

  package static func rules(_ name: String) -> ZoneRules {
    do {
      return try bytes(name).withUnsafeBytes { bytes throws(ZoneError) in try ZoneRules(file: bytes) }
    } catch {
      preconditionFailure("the zone \(name) cannot be read: \(error)")
    }
  }
}
