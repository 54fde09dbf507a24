import GatehouseStorage
import Testing

@testable import GatehouseReplication

struct EtcdAddressTests {
  @Test func membersAreNamedByHostAndPort() throws {
    let address = try EtcdAddress("etcd://10.0.0.1:2379,etcd-2.example,[::1]:4000/")
    #expect(!address.usesTLS)
    #expect(address.members.map(\.description) == ["10.0.0.1:2379", "etcd-2.example:2379", "[::1]:4000"])
    #expect(address.members.map(\.isIPv4) == [true, false, false])
    #expect(address.members.map(\.isIPv6) == [false, false, true])
    #expect(try EtcdAddress("etcds://a").usesTLS)
  }

  @Test(arguments: [
    ("10.0.0.1:2379", "\"10.0.0.1:2379\" is no address: write etcd://host:port, or etcds://host:port for TLS"),
    ("http://a:1", "\"http://\" is not known: write etcd://host:port, or etcds://host:port for TLS"),
    ("etcd://", "\"\" in \"etcd://\" is no host and port, such as 10.0.0.1:2379 or [::1]:2379"),
    ("etcd://a,", "\"\" in \"etcd://a,\" is no host and port, such as 10.0.0.1:2379 or [::1]:2379"),
    ("etcd://a:0", "\"a:0\" in \"etcd://a:0\" is no host and port, such as 10.0.0.1:2379 or [::1]:2379"),
    ("etcd://u@a:1", "\"u@a:1\" in \"etcd://u@a:1\" is no host and port, such as 10.0.0.1:2379 or [::1]:2379"),
    ("etcd://[::1", "\"[::1\" in \"etcd://[::1\" is no host and port, such as 10.0.0.1:2379 or [::1]:2379"),
    ("etcd://a:1,a:1", "a:1 is named twice in \"etcd://a:1,a:1\""),
  ]) func mistakesAreNamed(_ text: String, _ reason: String) {
    #expect(throws: SharedLogError.refused(reason)) { try EtcdAddress(text) }
  }
}
