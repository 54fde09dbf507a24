extension CommandTable {
  static let serviceCommands: [CommandSpec] = [
    CommandSpec(
      "SERVICE.CREATE", .service, "Add an application as a service, with its own secret and these rights",
      [.word("name")] + ServiceRights.names.map { .flag($0.name) }
        + [.option("WORKSPACE", "workspace", repeats: true)],
      reply: "a map `id, name, secret, rights, workspaces`; the secret is shown only this once. Every service has READ;"
        + " the first must have ADMIN and no WORKSPACE. A service with WORKSPACE sees and does nothing outside of them."
        + " From the first service on every connection must authenticate; the one that created it already is",
      effect: .write,
      rights: .admin, needs: .permission(.serviceManage, over: .server), route: .directory, body: .decide(serviceCreate)
    ),
    CommandSpec(
      "SERVICE.LIST", .service, "The services, without their secrets",
      reply: "an array of maps `id, name, rights, workspaces, created`; workspaces are null if it is not bound",
      rights: .admin,
      needs: .permission(.serviceManage, over: .server), route: .directory, body: .decide(serviceList)),
    CommandSpec(
      "SERVICE.DELETE", .service, "Delete a service, so that its application is refused", [.word("name")],
      reply: "`OK`; the last service with the right ADMIN can only go after all others", effect: .write, rights: .admin,
      needs: .permission(.serviceManage, over: .server), route: .directory, body: .decide(serviceDelete)),
  ]

  @Sendable private static func serviceCreate(_ turn: Turn) throws(Halt) {
    let name = try Turn.name(try turn.text(1, "name", limit: Limits.nameBytes), "name")
    try turn.refuseImpersonation("keys")
    let view = try turn.directoryState().state.view
    turn.read(view.lsn)
    // `local` stands for connections from this machine while there is no service.
    guard name != "local", view.service(named: name) == nil else {
      throw .refused(.conflict("service: \(name) already exists"))
    }
    guard view.liveServices < Limits.services else {
      throw .refused(.limit("services: at most \(Limits.services)"))
    }
    var rights: ServiceRights = .read
    for (right, token) in ServiceRights.names where turn.has(token) { rights.insert(right) }
    var workspaces: [WorkspaceID] = []
    for values in try turn.options("WORKSPACE") {
      let workspace = try turn.workspace(named: values[0])
      guard !workspaces.contains(workspace.id) else {
        throw .refused(.syntax("WORKSPACE \(workspace.name) is given twice"))
      }
      workspaces.append(workspace.id)
    }
    guard workspaces.count <= Limits.workspacesOfService else {
      throw .refused(.limit("workspaces: a service is bound to at most \(Limits.workspacesOfService)"))
    }
    guard rights.contains(.admin) && workspaces.isEmpty || view.hasAdministeringService else {
      throw .refused(
        .rule(
          "first-service",
          "without a service that has the right ADMIN everywhere nobody could manage the server",
          instead: "create one first: SERVICE.CREATE name ADMIN"))
    }
    let id = ServiceID(view.services.count + 1)
    let secret = SecretText.serviceSecret(id, turn.entropy.draw())
    let digest = secret.withBytes(turn.digest)
    turn.emit(ServiceCreated(id, name: name, rights, secret: digest))
    if !workspaces.isEmpty { turn.emit(ServiceBound(id, to: workspaces)) }
    turn.reply.map(5)
    turn.reply.text("id")
    turn.reply.integer(id)
    turn.reply.text("name")
    turn.reply.text(name)
    turn.reply.text("secret")
    turn.reply.secret(secret)
    turn.reply.text("rights")
    show(rights, turn)
    turn.reply.text("workspaces")
    show(workspaces.isEmpty ? nil : workspaces, turn)
  }

  private static func show(_ workspaces: [WorkspaceID]?, _ turn: Turn) {
    guard let workspaces else { return turn.reply.null() }
    turn.reply.array(workspaces.count)
    for workspace in workspaces { turn.reply.text(turn.directory.workspace(workspace).name) }
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
      turn.reply.map(5)
      turn.reply.text("id")
      turn.reply.integer(service.id)
      turn.reply.text("name")
      turn.reply.text(service.name)
      turn.reply.text("rights")
      show(service.rights, turn)
      turn.reply.text("workspaces")
      show(service.workspaces, turn)
      turn.reply.text("created")
      turn.reply.integer(service.created)
    }
  }

  @Sendable private static func serviceDelete(_ turn: Turn) throws(Halt) {
    let name = try turn.text(1, "name", limit: Limits.nameBytes)
    try turn.refuseImpersonation("keys")
    let view = try turn.directoryState().state.view
    turn.read(view.lsn)
    guard let service = view.service(named: name) else { throw .refused(.notFound("service \(name)")) }
    let administering = view.administeringServices - (service.administersServer ? 1 : 0)
    if view.liveServices > 1, administering == 0 {
      throw .refused(
        .rule(
          "last-admin-service", "\(name) is the only service with the right ADMIN",
          instead: "create another with ADMIN first, or delete the others first"))
    }
    turn.emit(ServiceDeleted(service.id))
    turn.reply.ok()
  }
}
