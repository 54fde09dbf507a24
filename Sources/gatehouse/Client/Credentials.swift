import Foundation

/// The name and secret with which the client authenticates.
struct Credentials: Equatable, Sendable {
  let name: String
  let secret: String
}

/// Credentials were asked for but are not available.
struct CredentialsError: Error, Equatable, CustomStringConvertible {
  let description: String
}

extension Credentials {
  /// Secrets are never taken from the command line, which every process of the machine can read, but from a file, or
  /// from `$GATEHOUSE_AUTH` as `name:secret`.
  ///
  /// - Returns: nil if nothing was given: a server without services needs none on loopback.
  static func find(user: String?, passwordFile: String?, environment: [String: String]) throws -> Credentials? {
    if let passwordFile {
      guard let user else {
        throw CredentialsError(description: "--password-file needs --user, the service's name")
      }
      let text: String
      do {
        text = String(decoding: try SmallFile.read(passwordFile), as: UTF8.self)
      } catch {
        throw CredentialsError(description: "the password file \(passwordFile) cannot be read (\(error))")
      }
      return Credentials(name: user, secret: String(text.prefix { !$0.isNewline }))
    }
    guard let variable = environment["GATEHOUSE_AUTH"], !variable.isEmpty else {
      if user != nil {
        throw CredentialsError(
          description: "--user needs --password-file, or GATEHOUSE_AUTH=name:secret instead of both")
      }
      return nil
    }
    guard let colon = variable.utf8.firstIndex(of: UInt8(ascii: ":")), colon != variable.startIndex else {
      throw CredentialsError(description: "GATEHOUSE_AUTH must be name:secret")
    }
    let name = String(variable[..<colon])
    if let user, user != name {
      throw CredentialsError(description: "--user \(user) is not the name in GATEHOUSE_AUTH; give only one of them")
    }
    return Credentials(name: name, secret: String(variable[variable.utf8.index(after: colon)...]))
  }
}
