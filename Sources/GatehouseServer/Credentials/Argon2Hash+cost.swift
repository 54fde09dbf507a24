import GatehouseCore

extension Argon2Hash.Cost {
  /// What has to be computed after a cheaper hash to take as long as this in all; nil after one that takes as long. The time
  /// grows with the memory and with the passes over it.
  func rest(after other: Argon2Hash.Cost) -> Argon2Hash.Cost? {
    let missing = memory * passes - other.memory * other.passes
    // Argon2 takes at least 8 KiB a lane.
    guard missing > 0 else { return nil }
    return Argon2Hash.Cost(memory: max(8 * lanes, missing / passes), passes: passes, lanes: lanes)
  }
}
