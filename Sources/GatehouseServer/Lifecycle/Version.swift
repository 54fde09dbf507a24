/// The version of the program.
package enum Version {
  package static let current = "0.1.0"
  /// The Redis version whose protocol and `INFO` fields clients can rely on. Reported wherever a client chooses
  /// features by the server's version.
  package static let redis = "7.4.0"
}
