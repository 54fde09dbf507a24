extension CommandTable {
  private static let letting =
    ". A person who lets a service in, or changes what it may, is a super administrator everywhere: it could do more"
    + " than anybody else"

  static let serviceCommands: [CommandSpec] = [
    CommandSpec(
      "SERVICE.CREATE", .service, "Add an application as a service, with its own secret and these rights",
      [.word("name")] + ServiceRights.names.map { .flag($0.name) }
        + [
          .option("WORKSPACE", "workspace", repeats: true), .option("PRODUCT", "product", repeats: true),
          .option("CERT", "name"),
        ],
      reply: "a map `id, name, secret, rights, workspaces, products`; the secret is shown only this once. Every service"
        + " has READ; the first must have ADMIN, and neither WORKSPACE nor PRODUCT. A service with WORKSPACE sees and does"
        + " nothing outside of them. One with PRODUCT has to do with these products alone: of the people of their workspaces"
        + " it sees the contact and the access to them, it logs people in to them and out of them, with ADMIN it gives and"
        + " takes access and licences; everything else of the workspaces does not exist for it, so it cannot have TIMERS or"
        + " MAIL."
        + " From the first service on every connection must authenticate; the one that created it already is. A TLS"
        + " client with a valid certificate of the CERT name (its common name or an alternative one) is the service"
        + " without AUTH" + letting,
      effect: .write,
      rights: .admin, needs: .permission(.serviceManage, over: .server), route: .directory, body: .decide(serviceCreate)
    ),
    CommandSpec(
      "SERVICE.LIST", .service, "The services, without their secrets",
      reply: "an array of maps `id, name, rights, workspaces, products, created, certificate, old-secret-until,"
        + " connections, commands, bytes`; workspaces are null if it is not bound, products if it is not bound to products,"
        + " whose workspaces are then shown; certificate and old-secret-until are null if there is none, and a limit of 0"
        + " means none",
      rights: .admin,
      needs: .permission(.serviceManage, over: .server), route: .directory, body: .decide(serviceList)),
    CommandSpec(
      "SERVICE.SET", .service,
      "Change a service: rights that are given replace those it has, WORKSPACE or PRODUCT what it is bound to",
      [.word("name")] + ServiceRights.names.map { .flag($0.name) }
        + [
          .option("WORKSPACE", "workspace", repeats: true), .option("PRODUCT", "product", repeats: true),
          .option("CERT", "name"), .flag("NOCERT"), .option("CONNECTIONS", "number", .integer),
          .option("COMMANDS", "a-second", .integer), .option("BYTES", "a-second", .integer),
        ],
      reply: "`OK`. It holds for connections that are there with their next command; one that was authenticated by a"
        + " certificate is closed if that no longer stands for the service. CONNECTIONS, COMMANDS and BYTES limit what"
        + " all its connections use together, 0 for no limit of its own" + letting,
      effect: .write, rights: .admin, needs: .permission(.serviceManage, over: .server), route: .directory,
      body: .decide(serviceSet)),
    CommandSpec(
      "SERVICE.ROTATE", .service, "Give a service a new secret; with OVERLAP the old one stays good for that long",
      [.word("name"), .option("OVERLAP", "duration")],
      reply: "a map `id, name, secret, old-secret-until`; the secret is shown only this once, and old-secret-until is"
        + " null without OVERLAP. At most the two newest secrets are good. Connections that are there stay;"
        + " `CLIENT KILL USER name` closes them" + letting,
      effect: .write, rights: .admin, needs: .permission(.serviceManage, over: .server), route: .directory,
      body: .decide(serviceRotate)),
    CommandSpec(
      "SERVICE.DELETE", .service, "Delete a service, so that its application is refused", [.word("name")],
      reply: "`OK`; the last service with the right ADMIN can only go after all others, and the last of all only while"
        + " nobody but this machine can connect",
      effect: .write, rights: .admin,
      needs: .permission(.serviceManage, over: .server), route: .directory, body: .decide(serviceDelete)),
  ]

  @Sendable private static func serviceCreate(_ turn: Turn) throws(Halt) {
    let name = try Turn.name(try turn.text(1, "name", limit: Limits.nameBytes), "name")
    let view = try turn.directoryState().state.view
    turn.read(view.lsn)
    guard !ServiceIdentity.reservedNames.contains(name) else {
      throw .refused(
        .conflict("service: \(name) is a name that clients without one of their own have; choose another", of: "name"))
    }
    guard view.service(named: name) == nil else {
      throw .refused(.conflict("service: \(name) already exists", of: "name"))
    }
    guard view.liveServices < Limits.services else {
      throw .refused(.limit("services: at most \(Limits.services)"))
    }
    var rights: ServiceRights = .read
    for (right, token) in ServiceRights.names where turn.has(token) { rights.insert(right) }
    let binding = try turn.givenBinding() ?? .nothing
    try binding.require(fitting: rights)
    guard rights.contains(.admin) && binding == .nothing || view.hasAdministeringService else {
      throw .refused(
        .rule(
          "first-service",
          "without a service that has the right ADMIN everywhere nobody could manage the server",
          instead: "create one first: \(ServiceAdvice.firstService)"))
    }
    try turn.requireLettingIn(rights)
    let certificate = try turn.certificate(for: nil, view)
    let id = ServiceID(view.services.count + 1)
    let secret = SecretText.serviceSecret(id, turn.entropy.draw())
    let digest = secret.withBytes(turn.digest)
    turn.emit(ServiceCreated(id, name: name, rights, secret: digest))
    turn.bind(id, to: binding)
    if let certificate { turn.emit(ServiceCertificateSet(id, old: "", new: certificate)) }
    turn.reply.map(6)
    turn.reply.text("id")
    turn.reply.integer(id)
    turn.reply.text("name")
    turn.reply.text(name)
    turn.reply.text("secret")
    turn.reply.secret(secret)
    turn.reply.text("rights")
    show(rights, turn)
    turn.show(binding)
  }

  private static func show(_ rights: ServiceRights, _ turn: Turn) {
    turn.reply.array(rights.names.count)
    for name in rights.names { turn.reply.text(name) }
  }

  @Sendable private static func serviceList(_ turn: Turn) throws(Halt) {
    turn.read(turn.directory.lsn)
    let services = turn.directory.services.filter { !$0.isDeleted }
    turn.reply.array(services.count)
    for service in services {
      turn.reply.map(11)
      turn.reply.text("id")
      turn.reply.integer(service.id)
      turn.reply.text("name")
      turn.reply.text(service.name)
      turn.reply.text("rights")
      show(service.rights, turn)
      turn.show(ServiceBinding(of: service))
      turn.reply.text("created")
      turn.reply.integer(service.created)
      turn.reply.text("certificate")
      if let certificate = service.certificate { turn.reply.text(certificate) } else { turn.reply.null() }
      turn.reply.text("old-secret-until")
      show(until: service.oldSecret.map { turn.now < $0.until ? $0.until : 0 } ?? 0, turn)
      turn.reply.text("connections")
      turn.reply.integer(service.limits.connections)
      turn.reply.text("commands")
      turn.reply.integer(service.limits.commands)
      turn.reply.text("bytes")
      turn.reply.integer(service.limits.bytes)
    }
  }

  private static func show(until: Milliseconds, _ turn: Turn) {
    if until > 0 { turn.reply.integer(until) } else { turn.reply.null() }
  }

  // MARK: Changing

  @Sendable private static func serviceSet(_ turn: Turn) throws(Halt) {
    let (service, view) = try turn.liveService()
    var changes = 0
    var rights: ServiceRights = []
    for (right, token) in ServiceRights.names where turn.has(token) { rights.insert(right) }
    if !rights.isEmpty {
      rights.insert(.read)
      try turn.keepAdministration(without: rights.contains(.admin) ? nil : service, view)
      turn.emit(ServiceRightsSet(service.id, old: service.rights, new: rights))
      changes += 1
    }
    let binding = try turn.givenBinding()
    try (binding ?? ServiceBinding(of: service)).require(fitting: rights.isEmpty ? service.rights : rights)
    if !rights.isEmpty || binding != nil || turn.has("CERT") {
      try turn.requireLettingIn(rights.isEmpty ? service.rights : rights)
    }
    if let binding {
      try turn.keepAdministration(without: service, view)
      turn.bind(service.id, to: binding)
      changes += 1
    }
    if turn.has("NOCERT"), turn.has("CERT") { throw .refused(.syntax("give either CERT or NOCERT")) }
    if turn.has("CERT") || turn.has("NOCERT") {
      let name = try turn.certificate(for: service, view) ?? ""
      turn.emit(ServiceCertificateSet(service.id, old: service.certificate ?? "", new: name))
      changes += 1
    }
    var limits = service.limits
    if let number = try turn.integer("CONNECTIONS", in: 0...Limits.serviceConnections) {
      limits.connections = UInt32(number)
    }
    if let number = try turn.integer("COMMANDS", in: 0...Limits.serviceCommands) { limits.commands = UInt32(number) }
    if let number = try turn.integer("BYTES", in: 0...Limits.serviceBytes) { limits.bytes = UInt64(number) }
    if turn.has("CONNECTIONS") || turn.has("COMMANDS") || turn.has("BYTES") {
      turn.emit(ServiceLimited(service.id, old: service.limits, new: limits))
      changes += 1
    }
    guard changes > 0 else {
      throw .refused(
        .syntax(
          "SERVICE.SET \(service.name) changes nothing; give rights, WORKSPACE, PRODUCT, CERT, NOCERT, CONNECTIONS,"
            + " COMMANDS or BYTES"))
    }
    turn.reply.ok()
  }

  @Sendable private static func serviceRotate(_ turn: Turn) throws(Halt) {
    let (service, _) = try turn.liveService()
    try turn.requireLettingIn(service.rights)
    let overlap = try turn.duration("OVERLAP") ?? 0
    guard overlap <= Limits.secretOverlap else {
      throw .refused(.limit("OVERLAP: at most \(Limits.secretOverlap / 86_400_000)d"))
    }
    let until = overlap > 0 ? turn.now + overlap : 0
    let secret = SecretText.serviceSecret(service.id, turn.entropy.draw())
    turn.emit(ServiceRotated(service.id, secret: secret.withBytes(turn.digest), until: until))
    turn.reply.map(4)
    turn.reply.text("id")
    turn.reply.integer(service.id)
    turn.reply.text("name")
    turn.reply.text(service.name)
    turn.reply.text("secret")
    turn.reply.secret(secret)
    turn.reply.text("old-secret-until")
    show(until: until, turn)
  }

  @Sendable private static func serviceDelete(_ turn: Turn) throws(Halt) {
    let (service, view) = try turn.liveService()
    if view.liveServices > 1 { try turn.keepAdministration(without: service, view) }
    if view.liveServices == 1, turn.isExposed {
      throw .refused(
        .rule(
          "last-service", "other machines can connect, and without a service nobody would have to authenticate",
          instead: "create another one first, or start the server with --tls-host 127.0.0.1"))
    }
    turn.emit(ServiceDeleted(service))
    turn.reply.ok()
  }
}

extension Turn {
  /// The service that word 1 names, in the directory as it is.
  fileprivate func liveService() throws(Halt) -> (service: ServiceIdentity, view: Directory) {
    let name = try text(1, "name", limit: Limits.nameBytes)
    let view = try directoryState().state.view
    read(view.lsn)
    guard let service = view.service(named: name) else { throw .refused(.notFound("service \(name)")) }
    return (service, view)
  }

  /// Refuses to let a service in that could do more than the caller: with ADMIN it sets passwords, with SESSIONS it logs
  /// anybody in, with MAIL it reads what lets them in, and each sees what it is not kept from.
  fileprivate func requireLettingIn(_ rights: ServiceRights) throws(Halt) {
    guard !sides.allSatisfy({ $0.isSupreme(over: .server) }) else { return }
    throw .refused(
      .noPermission(
        "the role super-administrator everywhere, to let in a service with \(rights.names.joined(separator: " and "))"))
  }

  /// Refuses a change after which no service could manage the server.
  ///
  /// - Parameter service: the one that no longer could; nil if the change takes nothing away.
  fileprivate func keepAdministration(without service: ServiceIdentity?, _ view: Directory) throws(Halt) {
    guard let service, service.administersServer, view.administeringServices <= 1 else { return }
    throw .refused(
      .rule(
        "last-admin-service", "\(service.name) is the only service with the right ADMIN",
        instead: "create another with ADMIN first, or delete the others first"))
  }

  /// The name that `CERT` gives, which may stand for no other service; nil without `CERT`.
  fileprivate func certificate(for service: ServiceIdentity?, _ view: Directory) throws(Halt) -> String? {
    guard let name = try option("CERT", limit: Limits.certificateNameBytes) else { return nil }
    guard !name.isEmpty else { throw .refused(.syntax("CERT is empty; give NOCERT to SERVICE.SET for none")) }
    if let other = view.services(ofCertificate: [name]).first(where: { $0.id != service?.id }) {
      throw .refused(.conflict("CERT: \(name) stands for the service \(other.name) already", of: "CERT"))
    }
    return name
  }
}

/// What refusals advise, for programs that say it in their own words.
public enum ServiceAdvice {
  /// The command that creates the first service.
  public static let firstService = "SERVICE.CREATE name ADMIN"
}
