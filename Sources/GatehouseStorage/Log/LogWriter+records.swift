package import GatehouseCore

extension LogWriter {
  /// Appends a record that does not come from a command, such as one about the data folder. If its time is before the
  /// previous record's, it takes that time.
  ///
  /// - Parameters:
  ///   - header: its time is set to the time that was recorded.
  ///   - seals: seals what it says of people.
  package func append(
    _ header: inout RecordHeader, _ changes: [AnyChange], _ seals: (any SealKeeper)? = nil
  ) throws(LogRefusal) -> LSN {
    while true {
      var record = ByteWriter()
      record.seals = seals
      Record.encode(header, changes, into: &record)
      let time = header.time
      do throws(LogRefusal) {
        return try record.withBytes { bytes throws(LogRefusal) in try append(bytes, at: time) }
      } catch {
        guard case .early(let newest) = error else { throw error }
        header.time = newest
      }
    }
  }
}
