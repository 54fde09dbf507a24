import GatehouseCore

/// Finds users by a list, in slices, on a thread of the pool.
extension FindUsers: ServerWork {
  func perform(_ context: ServerContext, after lastWrite: LSN) throws -> [UserID] {
    // The state is newer than the caller's last record, which is applied before it is durable.
    try Self.ids(in: context.read(OwnedArguments(request), for: connection)).get()
  }
}
