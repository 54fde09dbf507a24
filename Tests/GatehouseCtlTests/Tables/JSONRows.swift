import Foundation
import GatehouseTestSupport

/// Rows as Python prints them.
struct JSONRows: Decodable {
  let delimiter: UInt8
  let rows: [[String]]

  init(_ output: String) throws { self = try JSONDecoder().decode(JSONRows.self, from: Data(output.utf8)) }

  static func write(_ bytes: [UInt8], to path: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: path))
  }
}
