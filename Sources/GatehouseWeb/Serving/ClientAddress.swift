import GatehouseCore
import GatehouseServer
import HTTPTypes
import Hummingbird

/// From which address a request is: that of the connection, or the one that a proxy tells of, if the setting `http-proxies`
/// says that the proxy is believed.
enum ClientAddress {
  /// - Returns: nil if the connection has no internet address.
  static func of(_ request: Request, _ context: WebContext, _ settings: ServerConfiguration) -> NetworkAddress? {
    guard let peer = context.connection.address?.ipAddress else { return nil }
    return told(request, by: peer, settings.httpProxies) ?? NetworkAddress(peer)
  }

  /// The client for which a proxy that is believed asks; nil if none is, or it does not tell.
  static func behindProxy(
    _ request: Request, _ context: WebContext, _ settings: ServerConfiguration
  ) -> NetworkAddress? {
    context.connection.address?.ipAddress.flatMap { told(request, by: $0, settings.httpProxies) }
  }

  /// Whether the request was passed on for somebody, and no proxy that is believed says that they are on this machine.
  ///
  /// A proxy on this machine connects from it for everybody: whoever set it up may have told nothing of it in `http-proxies`.
  static func isElsewhere(_ request: Request, _ context: WebContext, _ settings: ServerConfiguration) -> Bool {
    guard request.headers.contains(where: { isOfProxy($0.name) }) else { return false }
    guard let peer = context.connection.address?.ipAddress, settings.httpProxies.allows(peer) else { return true }
    return told(request, by: peer, settings.httpProxies).map { !loopback.allows($0.text) } ?? true
  }

  /// Whether proxies add a field to what they pass on.
  private static func isOfProxy(_ name: HTTPField.Name) -> Bool {
    let name = name.canonicalName
    return name.hasPrefix("x-forwarded") || proxyFields.contains(name)
  }

  private static let proxyFields: Set = [
    "forwarded", "via", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "x-original-forwarded-for", "true-client-ip",
    "cf-connecting-ip", "fastly-client-ip",
  ]

  private static let loopback = NetworkList("loopback")!

  private static func told(_ request: Request, by peer: String, _ proxies: NetworkList) -> NetworkAddress? {
    told(request.headers[values: .forwardedFor], request.headers[values: .forwarded], by: peer, proxies)
  }

  /// Each proxy adds the address that it was asked from at the end, and what stands before may be anybody's invention: so
  /// the last address counts that is not one of the proxies'.
  ///
  /// - Parameters:
  ///   - plain: what the headers `X-Forwarded-For` say.
  ///   - standard: what the headers `Forwarded` say.
  /// - Returns: nil if the peer is no such proxy, or tells nothing that can be believed.
  static func told(
    _ plain: [String], _ standard: [String], by peer: String, _ proxies: NetworkList
  ) -> NetworkAddress? {
    guard proxies.allows(peer) else { return nil }
    let one = plain.isEmpty ? nil : last(plain.joined(separator: ",").parts(separatedBy: ","), besides: proxies)
    let other = standard.isEmpty ? nil : last(clients(standard.joined(separator: ",")), besides: proxies)
    guard !plain.isEmpty, !standard.isEmpty else { return one ?? other }
    // A proxy sets one of them, and passes on whatever the client has sent as the other.
    return one?.text == other?.text ? one : nil
  }

  private static func last(_ addresses: [String], besides proxies: NetworkList) -> NetworkAddress? {
    var found: NetworkAddress?
    for text in addresses.reversed() {
      guard let address = Self.address(text.trimmed) else { return found }
      found = address
      if !proxies.allows(address.text) { return address }
    }
    return found
  }

  /// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`.
  private static func address(_ text: String) -> NetworkAddress? {
    if text.hasPrefix("[") { return NetworkAddress(String(text.head(before: "]").dropFirst())) }
    let parts = text.parts(separatedBy: ":")
    return NetworkAddress(parts.count == 2 ? parts[0] : text)
  }

  /// The `for` of each element of a `Forwarded` header (RFC 7239); what is not understood is an empty text.
  private static func clients(_ header: String) -> [String] {
    header.parts(separatedBy: ",").map { element in
      for pair in element.parts(separatedBy: ";") {
        let parts = pair.parts(separatedBy: "=", most: 2)
        guard parts.count == 2, parts[0].trimmed.lowercased() == "for" else { continue }
        return parts[1].trimmed.replacing(byte: "\"", with: "")
      }
      return ""
    }
  }
}

extension HTTPField.Name {
  fileprivate static let forwardedFor = Self("X-Forwarded-For")!
  fileprivate static let forwarded = Self("Forwarded")!
}
