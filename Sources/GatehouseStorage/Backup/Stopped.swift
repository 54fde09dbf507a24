/// Wraps an error that the caller's `progress` throws to stop a long reading.
///
/// A verification turns every error of a file into a problem that it reports. It must not mistake the caller's error
/// for one, or an interrupted backup would claim that its copy is damaged.
struct Stopped: Error {
  let reason: any Error

  /// Calls `body` with a `progress` that wraps its errors in `Stopped`, and unwraps them when they come out.
  static func unwrapping<Value, Step>(
    _ progress: (Step) throws -> Void, _ body: (@escaping (Step) throws -> Void) throws -> Value
  ) throws -> Value {
    try withoutActuallyEscaping(progress) { progress in
      do {
        return try body { step in
          do {
            try progress(step)
          } catch {
            throw Stopped(reason: error)
          }
        }
      } catch let stop as Stopped {
        throw stop.reason
      }
    }
  }
}
