/// The wish of whoever watches a long reading that it ends, on its way out.
///
/// A verification turns every error of a file into a problem that it reports. What the caller's `progress` throws is no
/// such error, and must not be taken for one: it would make an interrupted backup say that its copy is damaged.
struct Stopped: Error {
  let reason: any Error

  /// Calls `body` with a `progress` whose errors arrive as `Stopped`, and throws them as they were.
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
