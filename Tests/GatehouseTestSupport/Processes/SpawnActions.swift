internal import CSpawn
internal import Glibc

extension posix_spawn_file_actions_t {
  /// Leaves the child nothing but its three standard files, also where another thread opens one at this moment: an
  /// inherited connection would stay open after its client closed it, and an inherited port stay taken.
  mutating func closeInherited() { posix_spawn_file_actions_addclosefrom_np(&self, 3) }
}
