package import struct GatehouseCore.RawBuffer

extension RawBuffer {
  /// A page-aligned buffer for disk I/O, because the disk transfers whole pages.
  package init(capacity: Int = 64 << 10) { self.init(capacity: capacity, alignment: 4096) }
}
