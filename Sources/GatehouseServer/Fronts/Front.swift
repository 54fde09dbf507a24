/// Another way into the server beside the RESP listeners, such as HTTP. It asks through the door and contains no rules.
package protocol Front: Sendable {
  /// Listens. Called before the data is loaded; what is asked meanwhile is answered with an error.
  ///
  /// - Throws: `StartFailure`, which says what to do.
  func open(_ door: CommandDoor) async throws

  /// Stops accepting, and returns once the requests under way are answered.
  func close() async
}
