/// S4, L2: what a workspace requires of its users.
extension Policies {
  /// The required fields that a user lacks, by name.
  func missing(email: String, hasRole: Bool, _ text: (UserField) -> String) -> [String] {
    requiredFields.filter { name in
      switch name {
      case "email": email.isEmpty
      case "role": !hasRole
      default: UserField(name: name).map { text($0).isEmpty } ?? false
      }
    }
  }
}

extension Turn {
  /// What a workspace requires and a contact's login lacks, by name: fields of the policy, and mandatory ones of its own.
  func lackedFields(
    of contact: ContactReference, in home: Workspace, hasRole: Bool, _ text: (UserField) -> String
  ) -> [String] {
    home.policies.missing(email: contact.text(.email), hasRole: hasRole, text)
      + directory.mandatoryFields(of: home.id)
      .filter { contact.cell.state.people.custom($0.id, of: contact.serial).isEmpty }.map(\.name)
  }
}
