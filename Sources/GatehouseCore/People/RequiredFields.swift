/// S4, L2: what a workspace requires of its users.
extension Policies {
  /// The required fields that a user lacks, by name.
  func missing(
    hasRole: Bool, ofContact contactText: (ContactField) -> String, ofUser userText: (UserField) -> String
  ) -> [String] {
    requiredFields.filter { name in
      if name == Self.requiredRole { return !hasRole }
      if let field = ContactField(name: name) { return contactText(field).isEmpty }
      return UserField(name: name).map { userText($0).isEmpty } ?? false
    }
  }

  /// What can be required. Flags of users cannot: they are on or off, and never missing.
  static let requirable =
    ContactField.allCases.map(\.name) + UserField.allCases.filter { $0.flag == nil }.map(\.name) + [requiredRole]

  private static let requiredRole = "role"
}

extension Turn {
  /// What a workspace requires and a contact's login lacks, by name: fields of the policy, and mandatory ones of its own.
  func lackedFields(
    of contact: ContactReference, in home: Workspace, hasRole: Bool, _ text: (UserField) -> String
  ) -> [String] {
    home.policies.missing(hasRole: hasRole, ofContact: contact.text, ofUser: text)
      + directory.mandatoryFields(of: home.id)
      .filter { contact.cell.state.people.custom($0.id, of: contact.serial).isEmpty }.map(\.name)
  }
}
