extension Turn {
  /// The words between the command's name and its options.
  public var positional: Range<Int> {
    guard let first = chosen.min(by: { $0.word < $1.word }) else { return 1..<arguments.count }
    return 1..<(first.word - (spec.options[first.option].isCounted ? 2 : 1))
  }
}
