package import struct GatehouseCore.RawBuffer

extension RawBuffer {
  /// A buffer for what goes to the disk or comes from it: pages are moved whole, so it begins at one.
  package init(capacity: Int = 64 << 10) { self.init(capacity: capacity, alignment: 4096) }
}
