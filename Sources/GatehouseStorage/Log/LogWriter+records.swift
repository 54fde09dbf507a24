package import GatehouseCore

extension LogWriter {
  /// Appends a record that does not come from a command, such as one about the data folder. If its time is before the
  /// previous record's, it takes that time.
  ///
  /// - Parameter header: its time is set to the time that was recorded.
  package func append(_ header: inout RecordHeader, _ changes: [AnyChange]) throws(LogRefusal) -> LSN {
    while true {
      var record = ByteWriter()
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
