import GatehouseCore
import GatehouseWire

/// The checks of a file's rows against each other. Each row alone may be good, and all together not: two with one
/// username, reference or external identifier, or more than there are seats.
///
/// Memory grows by 16 bytes for each of these, not with what the rows hold: names are kept as hashes of 64 bits, with a key that
/// nobody knows. Two of a million names are taken for the same once in 30 million files.
struct FileChecks {
  private var usernames: [Int: Int32] = [:]
  private var references: [Int: Int32] = [:]
  /// Identifiers of provisioning systems.
  private var externalIDs: [Int: Int32] = [:]
  private let hasUniqueReferences: Bool
  private var seats: [String: Seats] = [:]

  private struct Seats {
    let bought: Int64
    var used: Int64
  }

  init(hasUniqueReferences: Bool) { self.hasUniqueReferences = hasUniqueReferences }

  /// The first row that has the same username, or the same reference if references are unique.
  mutating func fault(of row: PersonRow) -> RowFault? {
    if let cell = row.cell(.username) {
      if let line = Self.first(cell.text.caseFolded, row.line, &usernames) {
        return RowFault(column: cell.source.header, reason: "line \(line) has the same username")
      }
    }
    if hasUniqueReferences, let cell = row.cell(.user(.reference)) {
      if let line = Self.first(cell.text, row.line, &references) {
        return RowFault(column: cell.source.header, reason: "line \(line) has the same reference")
      }
    }
    if let cell = row.cell(.provisioned), let id = Self.externalID(cell.text) {
      if let line = Self.first(id, row.line, &externalIDs) {
        return RowFault(column: cell.source.header, reason: "line \(line) has the same \(ProvisionedValue.externalID)")
      }
    }
    return nil
  }

  private static func externalID(_ cell: String) -> String? {
    (try? PersonColumn.provisioned(in: cell))?.first { $0.attribute == ProvisionedValue.externalID }?.value
  }

  /// Whether one of the rows so far is about a user of that name.
  func hasUser(_ username: String) -> Bool { usernames[username.caseFolded.hashValue] != nil }

  private static func first(_ text: String, _ line: Int, _ lines: inout [Int: Int32]) -> Int32? {
    let hash = text.hashValue
    if let line = lines[hash] { return line }
    lines[hash] = Int32(clamping: line)
    return nil
  }

  // MARK: Seats

  /// Takes the seats of a row that the server would accept; refused if those before it in the file have taken the last.
  ///
  /// - Parameters:
  ///   - moved: the `seats` of the answer to a dry run: those that the row moves.
  ///   - pools: the answer to `POOL.LIST product`.
  mutating func takeSeats(_ moved: RESPValue, pools: (String) throws -> RESPValue) throws -> RowFault? {
    let moves = (moved.elements ?? []).compactMap { seat -> (key: String, product: String, type: String)? in
      guard let product = seat["product"]?.string, let type = seat["type"]?.string else { return nil }
      return ("\(product):\(type)", product, type)
    }
    for move in moves where seats[move.key] == nil {
      for pool in try pools(move.product).elements ?? [] {
        guard let type = pool["type"]?.string, let bought = pool["bought"]?.integer, let used = pool["used"]?.integer
        else { continue }
        let key = "\(move.product):\(type)"
        if seats[key] == nil { seats[key] = Seats(bought: bought, used: used) }
      }
    }
    for move in moves {
      guard let pool = seats[move.key], pool.used >= pool.bought else { continue }
      return RowFault(
        column: move.type == "*" ? "products" : "licences",
        reason: "NOSEATS \(move.key) bought \(pool.bought); the rows before this one take the last")
    }
    for move in moves { seats[move.key]?.used += 1 }
    return nil
  }
}
