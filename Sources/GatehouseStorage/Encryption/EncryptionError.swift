/// Why encrypted data cannot be read or written. No text shows a key; keys are named by their ids, which are prefixes of
/// hashes.
package enum EncryptionError: Error, Equatable, Sendable {
  /// The folder is encrypted, and no key was given. `master` is the id of the key it needs.
  case keyNeeded(master: String)
  case wrongKey(given: String, needed: String)
  /// The key ring and its copy cannot be used.
  case ringDamaged(String)
  /// The folder is encrypted, and its key ring is gone.
  case ringLost(String)
  /// The key ring is that of another folder.
  case ringForeign
  case ringNewer(reader: UInt32)
  /// A file names a data key that the ring does not have, or has retired.
  case unknownKey(UInt32)
  /// Bytes were not sealed with the folder's keys for this purpose, or were changed since.
  case notSealedHere(String)
  /// The manifest is not the one that the key ring has signed.
  case manifestForged
  /// The folder was decrypted and its master key given up; to encrypt it again takes a new one.
  case noMasterKey
  /// The text that was given as a key is none.
  case malformedKey(source: String, problem: String)
  /// Nothing can be read from where the key should come from.
  case noKey(source: String, problem: String)
}

extension EncryptionError: CustomStringConvertible {
  /// How a key is given to any of the programs.
  package static let howToGive =
    "give it with --encryption-key-file, --encryption-key-command or GATEHOUSE_ENCRYPTION_KEY in the environment"

  package var description: String {
    switch self {
    case .keyNeeded(let master): "the folder is encrypted under the key \(master); \(Self.howToGive)"
    case .wrongKey(let given, let needed):
      "the folder is encrypted under the key \(needed), and the key given is \(given); nothing was read or changed; give "
        + "the other key (a backup needs the key that was in use when it was made)"
    case .ringDamaged(let reason):
      "the key ring and its copy cannot be used (\(reason)); without it nothing can be decrypted; bring the file "
        + "\(FolderName.keyRing) back from a backup of this folder"
    case .ringLost(let reason):
      "the folder is encrypted (\(reason)), and its key ring is gone; nothing was changed; bring the file "
        + "\(FolderName.keyRing) back from a backup of this folder"
    case .ringForeign:
      "the key ring belongs to another data folder; bring the file \(FolderName.keyRing) back from a backup of this "
        + "folder"
    case .ringNewer(let reader):
      "the key ring was written by a newer version (readable from \(reader) on); start that version or a later one"
    case .unknownKey(let number):
      "it is encrypted with data key \(number), which the key ring does not have; bring the file \(FolderName.keyRing) "
        + "back from a backup that was made while that key was in use"
    case .notSealedHere(let purpose):
      "the bytes were not sealed with this folder's keys as \(purpose), or were changed since"
    case .manifestForged:
      "the manifest is not the one that belongs to the key ring: somebody has changed it; bring the file "
        + "\(FolderName.manifest) back from a backup of this folder"
    case .noMasterKey:
      "encryption was turned off and everything decrypted, so that the folder has no master key any more; to encrypt it "
        + "again, \(Self.howToGive)"
    case .malformedKey(let source, let problem): "the key from \(source) \(problem)"
    case .noKey(let source, let problem): "there is no key from \(source): \(problem)"
    }
  }
}
