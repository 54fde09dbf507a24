import GatehouseCore
import NIOCore
import Synchronization

/// Where a client comes from, as far as limits are concerned: an IPv4 address, or the network of an IPv6 address (/64),
/// of which one machine may have as many addresses as it likes.
struct AddressKey: Hashable, Sendable {
  let network: NetworkAddress.Network

  init(network: NetworkAddress.Network) { self.network = network }

  /// - Returns: nil for what is no internet address.
  init?(_ address: SocketAddress?) {
    guard let address, address.port != nil else { return nil }
    // In memory an address follows the family and the port, and in IPv6 the flow label.
    let place = address.protocol == .inet6 ? 8..<24 : 4..<8
    let bytes = address.withSockAddr { address, size in
      Array(UnsafeRawBufferPointer(start: address, count: size)[place])
    }
    // ::ffff:a.b.c.d is an IPv4 address.
    let isV6 = bytes.count == 16 && !bytes.starts(with: Array(repeating: 0, count: 10) + [0xff, 0xff])
    let counted = isV6 ? bytes.prefix(8) : bytes.suffix(4)
    network = NetworkAddress.Network(isVersion4: !isV6, bits: counted.reduce(0) { $0 << 8 | UInt64($1) })
  }
}

/// How many connections each address has. As many entries as connections at most.
final class AddressCounts: Sendable {
  private let counts = Mutex<[AddressKey: Int]>([:])

  init() {}

  /// Addresses that have any.
  var count: Int { counts.withLock { $0.count } }

  /// Counts one more.
  ///
  /// - Returns: false, and counts nothing, if the address has as many as it may.
  func join(_ address: AddressKey?, most: Int) -> Bool {
    guard let address else { return true }
    return counts.withLock { counts in
      let count = counts[address] ?? 0
      if most > 0, count >= most { return false }
      counts[address] = count + 1
      return true
    }
  }

  func leave(_ address: AddressKey?) {
    guard let address else { return }
    counts.withLock { counts in
      guard let count = counts[address] else { return }
      counts[address] = count > 1 ? count - 1 : nil
    }
  }
}
