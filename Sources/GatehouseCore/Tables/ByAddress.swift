internal import Synchronization

/// A struct with a property of this type is passed by address, and so is every struct that contains it.
///
/// The compiler passes a borrowed struct of ordinary fields by value, even if it cannot be copied in the source. Each
/// call of a method of `PartitionState` copied its 392 bytes to the stack, seven cache lines, for the few fields that the
/// method reads; `SESSION.CREATE` made six such copies of the state or of `People`. An atomic has no value to copy, so a
/// struct that contains one has to stay where it is.
struct ByAddress: ~Copyable, Sendable {
  private let mark = Atomic(false)
}
