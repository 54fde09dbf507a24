/// Hashing of passwords, which takes a core for tens of milliseconds, and so is work off the lanes' threads. What a hash
/// looks like is the server's business; here it is text in the PHC string format.

/// Something that only its owner may know, on its way through a decision. It has no text, so that no message shows it.
public struct SecretWord: Sendable, Equatable, CustomStringConvertible {
  public let bytes: [UInt8]

  public init(_ bytes: [UInt8]) { self.bytes = bytes }

  public var description: String { "(secret)" }
}

/// Whether a password is the one of a hash.
public struct CheckPassword: Work {
  public typealias Outcome = Result<PasswordMatch, Refusal>

  /// nil where there is no password. It costs as much as if there was one, so that the time tells nothing.
  public let hash: String?
  public let password: GivenPassword
}

/// A password that somebody gives to prove who they are.
public struct GivenPassword: Sendable, Equatable {
  /// As new passwords are hashed here: its letters composed (RFC 8265).
  public let composed: SecretWord
  /// As it was typed, where that is something else. A hash that another system has made may be of it.
  public let typed: SecretWord?

  public init(_ composed: SecretWord, typed: SecretWord? = nil) {
    self.composed = composed
    self.typed = typed
  }
}

public enum PasswordMatch: Sendable, Equatable {
  case wrong
  /// The right one; with a new hash of it if the parameters have changed since.
  case right(rehashed: String?)
}

/// The hash of a new password, if it is good enough.
public struct HashPassword: Work {
  public typealias Outcome = Result<HashedPassword, Refusal>

  public let password: SecretWord
  public let strength: PasswordStrength
  /// The hash of the old password and the old one, which must be right; nil where nobody asks for it.
  public let old: OldPassword?
  /// A hash that must not be of the new password, of one that the user is to change; nil where there is none.
  public let former: String?

  public init(password: SecretWord, strength: PasswordStrength, old: OldPassword?, former: String? = nil) {
    self.password = password
    self.strength = strength
    self.old = old
    self.former = former
  }
}

/// The hashes of the passwords of several new users. One is made after the other, and each gives way to logins.
public struct HashPasswords: Work {
  public typealias Outcome = Result<[HashedPassword], Refusal>

  public let passwords: [HashPassword]

  public init(_ passwords: [HashPassword]) { self.passwords = passwords }
}

extension Turn {
  /// Has all passwords that a body asks for hashed as one piece of work. Where a hash is not there yet, `hash` returns an
  /// empty one; that decision is dropped once the body has asked for all.
  func hashingTogether(_ body: () throws(Halt) -> Void) throws(Halt) {
    gathering = GatheredPasswords()
    defer { gathering = nil }
    try body()
    if let gathering, gathering.isIncomplete { throw .work(HashPasswords(gathering.asked)) }
  }

  /// What became of a password; nil if that is not known yet, and is asked for later.
  func hashed(_ password: HashPassword) throws(Halt) -> HashedPassword? {
    guard gathering != nil else { return try outcome(of: password).unwrapped() }
    gathering?.asked.append(password)
    guard let done = finishedWorks.last(HashPasswords.self), let index = done.work.passwords.firstIndex(of: password)
    else {
      gathering?.isIncomplete = true
      return nil
    }
    return try done.outcome.unwrapped()[index]
  }
}

/// The passwords of one command that are hashed together.
struct GatheredPasswords {
  var asked: [HashPassword] = []
  /// Whether the hash of one is not known.
  var isIncomplete = false
}

public struct OldPassword: Sendable, Equatable {
  public let hash: String
  public let password: GivenPassword
}

/// What a new password is measured by.
public struct PasswordStrength: Sendable, Equatable {
  /// The lowest score, from 0 for anything to 4 for what withstands whoever has stolen the hash.
  public let score: Int
  /// The words that somebody who knows the person tries first: the names, the address, the organisation.
  public let related: [String]
  /// The fewest characters.
  public let length: Int
}

public enum HashedPassword: Sendable, Equatable {
  case hashed(String)
  /// The old password was wrong.
  case wrongOld
  /// It is the one that was to be changed.
  case unchanged
  /// Why nobody should use it.
  case weak(String)
}

/// A password at random, for a mail.
public struct GeneratePassword: Work {
  public typealias Outcome = Result<GeneratedPassword, Refusal>
}

/// The hash of a password that was made at random, and the salt from which `Turn.mailedSecret` makes it again for whoever
/// sends the mail. So the password itself is nowhere in the log.
public struct GeneratedPassword: Sendable, Equatable {
  public let salt: String
  public let hash: String

  public init(salt: String, hash: String) {
    self.salt = salt
    self.hash = hash
  }
}
