internal import Foundation
internal import struct GatehouseStorage.ReplicationSettings
internal import enum GatehouseStorage.SharedLogError

/// How a client shows etcd who it is, and how it knows etcd.
struct EtcdCredentials: Sendable {
  var user: String?
  var password: String?
  /// Files in PEM: the authorities that etcd's certificate must be from, and the client's own certificate and key.
  var authorityFile: String?
  var certificateFile: String?
  var keyFile: String?

  private static let longestPassword = 4096

  /// Checks that all belongs together and can be read, so that a mistake is named at the start.
  init(_ settings: ReplicationSettings, usesTLS: Bool) throws(SharedLogError) {
    user = settings.user
    authorityFile = settings.authorityFile
    certificateFile = settings.certificateFile
    keyFile = settings.keyFile
    if let file = settings.passwordFile { password = try Self.password(in: file) }
    guard (user == nil) == (password == nil) else {
      throw .refused(user == nil ? "a password without a user" : "the user \"\(user!)\" without a password file")
    }
    guard (certificateFile == nil) == (keyFile == nil) else {
      throw .refused("a client's certificate and its key belong together: set both or neither")
    }
    let files = [authorityFile, certificateFile, keyFile].compactMap { $0 }
    guard usesTLS || files.isEmpty else {
      throw .refused("certificates are set, but the address says etcd://: write etcds:// for TLS")
    }
    for file in files {
      guard FileManager.default.isReadableFile(atPath: file) else { throw .refused("\(file) cannot be read") }
    }
  }

  private static func password(in file: String) throws(SharedLogError) -> String {
    guard let data = FileManager.default.contents(atPath: file), data.count <= longestPassword else {
      throw .refused("\(file), which should hold etcd's password, cannot be read or is too long")
    }
    var text = Substring(decoding: data, as: UTF8.self)
    while let last = text.last, last.isNewline { text = text.dropLast() }
    guard !text.isEmpty else { throw .refused("\(file), which should hold etcd's password, is empty") }
    return String(text)
  }
}
