internal import COpenSSL

/// The names that a certificate is for.
enum CertificateNames {
  static func of(_ certificate: OpaquePointer) -> [String] {
    var names: [String] = []
    for name in alternative(certificate) + common(certificate) where !names.contains(name) { names.append(name) }
    return names
  }

  private static func common(_ certificate: OpaquePointer) -> [String] {
    let subject = X509_get_subject_name(certificate)
    var names: [String] = []
    var index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1)
    while index >= 0 {
      if let name = text(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index))) { names.append(name) }
      index = X509_NAME_get_index_by_NID(subject, NID_commonName, index)
    }
    return names
  }

  private static func alternative(_ certificate: OpaquePointer) -> [String] {
    guard let found = X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil) else { return [] }
    let all = OpaquePointer(found)
    defer { GENERAL_NAMES_free(all) }
    return (0..<OPENSSL_sk_num(all)).compactMap { index in
      guard let entry = OPENSSL_sk_value(all, index) else { return nil }
      var kind: Int32 = 0
      let value = GENERAL_NAME_get0_value(entry.assumingMemoryBound(to: GENERAL_NAME.self), &kind)
      guard [GEN_DNS, GEN_URI, GEN_EMAIL].contains(kind) else { return nil }
      return text(value?.assumingMemoryBound(to: ASN1_STRING.self))
    }
  }

  /// A name with a zero byte in it is none: elsewhere it may have been read as what stands before that byte.
  private static func text(_ string: UnsafePointer<ASN1_STRING>?) -> String? {
    var bytes: UnsafeMutablePointer<UInt8>?
    let count = ASN1_STRING_to_UTF8(&bytes, string)
    guard count > 0, let bytes else { return nil }
    defer { CRYPTO_free(bytes, nil, 0) }
    let all = UnsafeBufferPointer(start: bytes, count: Int(count))
    return all.contains(0) ? nil : String(validating: all, as: UTF8.self)
  }
}
