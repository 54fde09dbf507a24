package import enum GatehouseStorage.SharedLogError

/// The members of an etcd cluster: `etcd://host:port,host:port`, or `etcds://…` for TLS.
package struct EtcdAddress: Sendable, Equatable {
  package struct Member: Sendable, Equatable, CustomStringConvertible {
    package var host: String
    package var port: Int

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
  }

  package var members: [Member]
  package var usesTLS: Bool

  private static let mostMembers = 16

  package init(_ text: String) throws(SharedLogError) {
    guard let separator = text.firstRange(of: "://") else {
      throw .refused("\"\(text)\" is no address: write etcd://host:port, or etcds://host:port for TLS")
    }
    switch text[..<separator.lowerBound] {
    case "etcd": usesTLS = false
    case "etcds": usesTLS = true
    case let scheme:
      throw .refused("\"\(scheme)://\" is not known: write etcd://host:port, or etcds://host:port for TLS")
    }
    members = []
    var rest = text[separator.upperBound...]
    while rest.hasSuffix("/") { rest = rest.dropLast() }
    for part in rest.split(separator: ",", omittingEmptySubsequences: false) {
      guard let member = Member(part) else {
        throw .refused("\"\(part)\" in \"\(text)\" is no host and port, such as 10.0.0.1:2379 or [::1]:2379")
      }
      guard !members.contains(member) else { throw .refused("\(member) is named twice in \"\(text)\"") }
      members.append(member)
    }
    guard members.count <= Self.mostMembers else {
      throw .refused("\"\(text)\" names more than \(Self.mostMembers) members")
    }
  }
}

extension EtcdAddress.Member {
  fileprivate init?(_ text: Substring) {
    var host = text
    // etcd's port for clients.
    var port = 2379
    if text.hasPrefix("[") {
      guard let end = text.firstIndex(of: "]") else { return nil }
      host = text[text.index(after: text.startIndex)..<end]
      let rest = text[text.index(after: end)...]
      guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
      if !rest.isEmpty {
        guard let number = Int(rest.dropFirst()) else { return nil }
        port = number
      }
    } else if let colon = text.firstIndex(of: ":") {
      host = text[..<colon]
      guard let number = Int(text[text.index(after: colon)...]) else { return nil }
      port = number
    }
    let isClean = host.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-._:".contains($0)) }
    guard !host.isEmpty, isClean, (1...65535).contains(port) else { return nil }
    self.init(host: String(host), port: port)
  }

  /// Whether the host is written as four numbers.
  package var isIPv4: Bool {
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
  }

  package var isIPv6: Bool { host.contains(":") }
}
