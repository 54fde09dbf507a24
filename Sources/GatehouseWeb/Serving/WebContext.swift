import GatehouseServer
import Hummingbird
import Logging
import NIOCore

/// What is known of a request besides its words.
struct WebContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  let connection: DoorConnection
  /// Whether the connection is encrypted.
  var isSealed: Bool { connection.isSealed }
  /// For what must end a connection that is stuck.
  let channel: any Channel

  /// Bodies that are larger are refused with 413.
  static let mostBytes = 1024 * 1024
  var maxUploadSize: Int { Self.mostBytes }

  struct Source: RequestContextSource {
    let connection: DoorConnection
    let channel: any Channel
    let logger: Logger
  }

  init(source: Source) {
    coreContext = .init(source: source)
    connection = source.connection
    channel = source.channel
  }
}
