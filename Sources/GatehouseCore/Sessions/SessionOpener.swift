/// How a session came about: on whose word its user is taken for who they are.
///
/// A service opens sessions on its own word (`SESSION.CREATE`), and it knows the tokens of those for which people type
/// their passwords to it. So a session reaches no further than the service that opened it, as that is now: also where
/// another service is shown its token. Where no service stands beside the person, as in the console, only those count
/// that Gatehouse has opened itself, once it had checked password and second factor.
public struct SessionOpener: Sendable, Equatable, BitwiseCopyable {
  /// As it is stored: 0 is not known, 1 Gatehouse, and above that 2 more than the service.
  let raw: UInt32

  /// A service that earlier versions did not record.
  public static let unknown = SessionOpener(raw: 0)
  public static let gatehouse = SessionOpener(raw: 1)

  /// - Parameter id: 0 for `local`, which everybody on this machine is while there is no service.
  public static func service(_ id: ServiceID) -> SessionOpener { SessionOpener(raw: id + 2) }

  /// The service on whose word the session rests; nil if it is not known, `local`, or none.
  @inline(__always)
  public var service: ServiceID? { raw > 2 ? raw - 2 : nil }
}

enum SessionOpenerForm: FieldForm {
  static func write(_ value: SessionOpener, to writer: inout ByteWriter) { writer.varint(value.raw) }

  static func read(from reader: inout ByteReader) throws(CodingError) -> SessionOpener {
    SessionOpener(raw: try reader.number())
  }

  /// Only that Gatehouse has opened it: the record's header has the service.
  static func text(_ value: SessionOpener, in directory: Directory?) -> String? { value == .gatehouse ? "1" : nil }
}

extension Directory {
  /// Whether the service on whose word a session rests was deleted. It has no rights any more, and so the session has none.
  @inline(__always)
  func isAbandoned(_ session: SessionRow) -> Bool {
    guard let id = session.opener.service else { return false }
    return facts(ofService: id)?.isDeleted ?? true
  }
}

extension Turn {
  /// Who opens a session with this command.
  var opener: SessionOpener { connection.isServer ? .gatehouse : .service(connection.service ?? 0) }

  /// Whether Gatehouse itself has checked who a session's user is; in an impersonation, who its actor is.
  func isSignedIn(_ cell: HeldPartition, _ slot: Int) throws(Halt) -> Bool {
    guard cell.state.sessions[slot].opener == .gatehouse else { return false }
    guard let impersonation = cell.state.sessions.impersonation(ofSlot: slot) else { return true }
    guard let (actors, login) = try login(of: impersonation) else { return false }
    return actors.state.sessions[login].opener == .gatehouse
  }

  /// Whether the services on whose word a session rests reach something.
  @inline(__always)
  func openersReach(_ cell: HeldPartition, _ slot: Int, _ isReached: (Reach) -> Bool) throws(Halt) -> Bool {
    let row = cell.state.sessions[slot]
    // Fast path: nearly every session is a login, shown by the service that has opened it.
    let opener = row.opener.service
    if row.kind == .login, opener == nil || opener == connection.service { return true }
    return try openerSides(cell, slot).allSatisfy { isReached($0.knownWorkspaces) }
  }

  /// What limits a session to the services on whose word it rests, apart from the one that sends this command: that of an
  /// impersonation, and that of its actor's login.
  func openerSides(_ cell: HeldPartition, _ slot: Int) throws(Halt) -> [Side] {
    let row = cell.state.sessions[slot]
    var sides: [Side] = []
    if let id = row.opener.service, id != connection.service { addSide(of: id, to: &sides) }
    guard row.kind == .impersonation, let impersonation = cell.state.sessions.impersonation(ofSlot: slot),
      let (actors, login) = try login(of: impersonation)
    else { return sides }
    let first = actors.state.sessions[login].opener
    if let id = first.service, id != connection.service, first != row.opener { addSide(of: id, to: &sides) }
    return sides
  }

  /// Refuses a session that rests on a service's word where the server itself acts on it, with no service beside it.
  func requireSignedIn(_ cell: HeldPartition, _ slot: Int) throws(Halt) {
    guard connection.isServer, try !isSignedIn(cell, slot) else { return }
    throw .refused(
      .noPermission(
        "a session that was begun by signing in here: this one rests on a service's word, and counts only beside it"))
  }

  private func login(of impersonation: Impersonation) throws(Halt) -> (cell: HeldPartition, slot: Int)? {
    let cell = try cell(partitioning.partition(of: impersonation.actorSession))
    guard let slot = cell.state.slot(of: impersonation.actorSession) else { return nil }
    return (cell, slot)
  }

  private func addSide(of id: ServiceID, to sides: inout [Side]) {
    read(directoryLSN)
    // Nearly all services are bound to nothing.
    guard directory.facts(ofService: id)?.isBound ?? false else { return }
    if let service = directory.service(id), let side = side(of: service) { sides.append(side) }
  }

  /// The side of a service that is bound; nil if it reaches everywhere.
  func side(of service: ServiceIdentity) -> Side? {
    if let products = service.products { return Side(service.id, boundTo: products.compactMap(directory.product)) }
    return service.workspaces.map { Side(.service(service.id), boundTo: $0) }
  }
}
