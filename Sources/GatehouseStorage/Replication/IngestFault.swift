/// Why a follower's log did not take a frame of another node.
package enum IngestFault: Error, Equatable {
  /// It could not be written.
  case log(LogFault)
  /// It is damaged, of a version that is not known here, or not the next one.
  case unfit(String)
}
