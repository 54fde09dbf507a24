import Glibc
import Testing

@testable import GatehouseServer

/// To which addresses webhooks may connect.
struct NetworkListTests {
  private func allows(_ networks: String, _ address: String) throws -> Bool {
    let networks = try #require(NetworkList(networks))
    let isAllowed = try allows(networks, address)
    #expect(networks.allows(address) == isAllowed, "as text")
    return isAllowed
  }

  private func allows(_ networks: NetworkList, _ address: String) throws -> Bool {
    if address.contains(":") {
      var six = sockaddr_in6()
      six.sin6_family = sa_family_t(AF_INET6)
      try #require(inet_pton(AF_INET6, address, &six.sin6_addr) == 1)
      return withUnsafePointer(to: six) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { networks.allows($0) }
      }
    }
    var four = sockaddr_in()
    four.sin_family = sa_family_t(AF_INET)
    try #require(inet_pton(AF_INET, address, &four.sin_addr) == 1)
    return withUnsafePointer(to: four) { $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { networks.allows($0) } }
  }

  @Test(arguments: ["93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:2800:220:1::1", "::ffff:93.184.216.34"])
  func publicAddresses(_ address: String) throws {
    #expect(try allows("public", address))
    #expect(try !allows("private,loopback", address))
  }

  @Test(arguments: [
    "127.0.0.1", "::1", "::ffff:127.0.0.1", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1",
    "fd00::1", "::ffff:10.0.0.1", "169.254.169.254", "::ffff:169.254.169.254", "fe80::1", "0.0.0.0", "::", "224.0.0.1",
    "255.255.255.255", "ff02::1", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "::a9fe:a9fe", "198.18.0.1",
  ])
  func othersAreNot(_ address: String) throws { #expect(try !allows("public", address)) }

  @Test func moreCanBeAllowed() throws {
    #expect(try allows("loopback", "127.9.9.9") && allows("loopback", "::1") && !allows("loopback", "10.0.0.1"))
    #expect(try allows("private", "10.0.0.1") && allows("private", "fd00::1") && !allows("private", "127.0.0.1"))
    #expect(try !allows("private,loopback,public", "169.254.169.254"), "only if it is named")
    #expect(try allows("169.254.169.254", "169.254.169.254") && !allows("169.254.169.254", "169.254.169.253"))
    #expect(try allows("10.1.0.0/16", "10.1.2.3") && !allows("10.1.0.0/16", "10.2.0.0"))
    #expect(try allows("10.1.0.0/17", "10.1.127.1") && !allows("10.1.0.0/17", "10.1.128.1"))
    #expect(try allows("2001:db8:1::/48", "2001:db8:1::5") && !allows("2001:db8:1::/48", "2001:db8:2::5"))
    #expect(try allows("0.0.0.0/0", "127.0.0.1") && !allows("0.0.0.0/0", "::1"))
  }

  @Test func none() throws {
    for address in ["93.184.216.34", "127.0.0.1", "10.0.0.1"] { #expect(try !allows("none", address)) }
  }

  @Test(arguments: [
    "", ",", "none,public", "all", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/-1", "10.0.0.0/", "public;private",
  ])
  func notUnderstood(_ text: String) { #expect(NetworkList(text) == nil) }

  @Test func text() throws {
    #expect(try #require(NetworkList("Public, 10.0.0.0/8")).text == "public,10.0.0.0/8")
  }
}
