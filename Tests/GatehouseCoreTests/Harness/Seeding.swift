@testable import GatehouseCore

/// People and products made by changes alone, for tests about something else.
extension CoreHarness {
  @discardableResult
  func seedProduct(_ name: String, workspace: WorkspaceID = mainWorkspace) -> ProductID {
    let id = ProductID(directory.state.view.products.count + 1)
    apply(ProductCreated(id, workspace, name: name))
    return id
  }

  @discardableResult
  func seedWorkspace(_ name: String, plan: String = "free") -> WorkspaceID {
    let id = WorkspaceID(directory.state.view.workspaces.count + 1)
    apply(WorkspaceCreated(id, name: name, plan: plan))
    return id
  }

  func seedPolicy(_ name: String, _ value: String, of workspace: WorkspaceID = mainWorkspace) {
    apply(WorkspaceSet(workspace, key: "policy.\(name)", old: "", new: value))
  }

  /// A user with a contact, in the partition of the name.
  @discardableResult
  func seedUser(
    _ name: String, status: Status = .active, workspaces: [WorkspaceID] = [mainWorkspace], email: String = "",
    products: [ProductID] = [], roles: [Role] = []
  ) -> UserID {
    let cell = cells[NameKey(name, partitioning).partition]
    let user: UserID = cell.state.id(cell.state.people.users.last + 1)
    let contact: ContactID = cell.state.id(cell.state.people.contacts.last + 1)
    apply(
      ContactCreated(contact, fields: [ContactText(.email, email)]),
      UserCreated(
        user: user, contact: contact, username: name, status: status, workspaces: workspaces, fields: []))
    for product in products {
      apply(AccessSet(user, old: nil, new: ProductAccess(product: product, isEnabled: true)))
    }
    for role in roles { apply(RoleGranted(user, Grant(role: role, scope: .everywhere, isMain: false))) }
    return user
  }

  /// Opens a session and returns its token.
  func logIn(_ user: String, _ product: String, _ options: String = "") -> String {
    let answer = run("SESSION.CREATE \(user) \(product) \(options)")
    guard let token = answer["session"].text else { preconditionFailure("no session: \(answer)") }
    return token
  }
}
