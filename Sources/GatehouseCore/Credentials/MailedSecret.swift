/// Secrets that go out by mail: generated passwords, tokens of resets.
///
/// A mail waits in the log, where nothing secret may be. So the log keeps only a salt; the secret is derived from it and
/// the folder's secret when the mail is handed out, as tokens under an idempotency key are.
public enum MailedSecret {
  /// The random part of a token: 128 bits in base64url.
  static func randomPart(salt: String, _ folderSecret: Digest, _ digest: (UnsafeRawBufferPointer) -> Digest) -> String {
    let bits = bits(salt, folderSecret, digest)
    return SecretText.randomPart((bits.a, bits.b))
  }

  /// A password that people can type.
  public static func password(
    salt: String, _ folderSecret: Digest, _ digest: (UnsafeRawBufferPointer) -> Digest
  ) -> String {
    let bits = bits(salt, folderSecret, digest)
    return SecretText.groups((bits.a, bits.b))
  }

  private static func bits(
    _ salt: String, _ folderSecret: Digest, _ digest: (UnsafeRawBufferPointer) -> Digest
  ) -> Digest {
    var writer = ByteWriter()
    writer.text("mailed secret")
    writer.digest(folderSecret)
    writer.text(salt)
    return writer.withBytes(digest)
  }
}

extension Turn {
  /// What a mail tells only its recipient; empty for a kind of mail without a secret.
  func secret(of mail: Mail) -> String {
    guard !mail.secret.isEmpty else { return "" }
    switch mail.kind {
    case .passwordGenerated: return MailedSecret.password(salt: mail.secret, folderSecret, digest)
    case .passwordReset: return resetToken(of: mail.user, salt: mail.secret)
    default: return mail.secret
    }
  }

  /// The token of a reset: whose it is, and 128 bits that follow from the salt.
  func resetToken(of user: UserID, salt: String) -> String {
    SecretText.resetToken(user, MailedSecret.randomPart(salt: salt, folderSecret, digest))
  }
}
