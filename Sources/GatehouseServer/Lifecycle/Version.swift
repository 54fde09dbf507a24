/// The version of the program.
package enum Version {
  package static let current = "0.1.0"
  /// The version of Redis whose protocol and `INFO` fields clients may count on. It is told wherever a client may
  /// decide by it what it asks.
  package static let redis = "7.4.0"
}
