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

  init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
    channel = source.channel
    guard let connection = WebChannel.connection else { preconditionFailure("a request outside of a connection") }
    self.connection = connection
  }
}
