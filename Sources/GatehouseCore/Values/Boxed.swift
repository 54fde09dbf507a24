/// A value on the heap, for an optional property that is large and nearly always nil: it takes one pointer in its owner,
/// where the optional itself would add its whole size to every copy.
public indirect enum Boxed<Value: Sendable & Equatable>: Sendable, Equatable {
  case value(Value)

  public var value: Value {
    switch self {
    case .value(let value): value
    }
  }
}
