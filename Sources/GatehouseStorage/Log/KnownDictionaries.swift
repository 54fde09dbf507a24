extension ZstdDictionary {
  /// The dictionaries that frames may have been written with.
  package static let known: [ZstdDictionary] = []
}
