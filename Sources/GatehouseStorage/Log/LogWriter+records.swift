package import GatehouseCore

extension LogWriter {
  /// Appends a record that no command of a server makes, such as one about the data folder. Its time is never before that
  /// of the record before.
  ///
  /// - Parameter header: takes the time that is recorded.
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
