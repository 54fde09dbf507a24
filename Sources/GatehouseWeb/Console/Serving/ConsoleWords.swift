/// What the server says to those who type commands, in the words of those who see pages: a remedy names the page that has it,
/// and an option the field of the form.
struct ConsoleWords {
  /// The labels of the form's fields by their names.
  var labels: [String: String] = [:]

  /// Where the console has what a command does.
  private static let pages: [String: String] = [
    "USER.SET": "Edit on the person's page", "CONTACT.SET": "Edit on the contact's page",
    "USER.RENAME": "Rename on the person's page", "USER.STATUS": "Other status on the person's page",
    "USER.DELETE": "Delete the login on the person's page", "USER.PURGE": "Purge on the person's page",
    "USER.ANONYMISE": "Anonymise on the person's page", "USER.MERGE": "Merge on the person's page",
    "USER.BULK": "Change several people under People", "USER.CREATE": "Give a login on the contact's page",
    "USER.RESTORE": "Restore on the person's page", "USER.MOVEHOME": "Move the home on the person's page",
    "USER.INVITE": "Invite again on the person's page", "CONTACT.CREATE": "Add a contact under Contacts",
    "FIELD.DROP": "Drop under Fields", "FIELD.LIST": "the page Fields", "LINK.REMOVE": "Remove under Linked records",
    "WORKSPACE.MEMBER": "Members on the workspace's page", "PRODUCT.ENABLE": "Let in on the person's page",
    "PRODUCT.DISABLE": "Keep out on the person's page", "ROLE.GRANT": "Grant a role on the person's page",
    "ROLE.REVOKE": "Revoke on the person's page", "ROLE.DROP": "Drop under Roles",
    "PERMISSION.LIST": "the page Roles", "MANAGE.REMOVE": "End under Looks after on the person's page",
    "EMPLOY.END": "End the employment on the person's page",
    "EMPLOY.SET": "Change under Employments on the person's page",
    "GROUP.REMOVE": "Take out on the group's page", "APPROVAL.REFUSE": "Refuse under Approvals",
    "APPROVAL.LIST": "the page Approvals", "AUDIT.LIST": "the trail", "AUDIT.HEAD": "the trail",
    "PASSWORD.RESET": "“Forgotten your password?” at the sign-in",
    "PASSWORD.CHANGE": "Password on the page of your account",
    "PASSWORD.SET": "Set a password on the person's page",
    "TOTP.DISABLE": "Second factor on the page of the account",
    "TOTP.ENROL": "Second factor on the page of your account", "LOGIN.UNLOCK": "Unlock on the person's page",
    "LICENCE.ASSIGN": "Change under Products on the person's page", "PRODUCT.CREATE": "Add under Products and seats",
    "POOL.SET": "Seats under Products and seats", "MAIL.LIST": "the page Mails",
    "SESSION.REVOKEALL": "End all under Sessions on the person's page",
    "WORKSPACE.SET": "Plan and policies on the workspace's page",
    "WORKSPACE.TRANSFER": "New owner on the workspace's page",
    "MANAGE.ADD": "Add under Looks after on the person's page",
    "PASSWORD.GENERATE": "Mail a new password on the person's page", "USER.COPYACCESS": "Match somebody else",
    "EMPLOY.ADD": "Add an employment on the person's page", "GROUP.ADD": "Put in on the group's page",
    "WEBHOOK.SET": "Change under Webhooks", "SERVICE.CREATE": "Add the service under Services",
    "UNDO": "Undo",
  ]

  /// Options that no form calls by their names.
  private static let options: [String: String] = [
    "ACCEPT-BILLING": "the tick that accepts a change of the bill", "REASON": "a reason", "NOINVITE": "no invitation",
    "CODE": "the field", "MAIN": "the tick for the main role", "WORKSPACE": "the workspace", "FROM": "the start",
    "UNTIL": "the end", "IFVERSION": "the version", "TEMPORARY": "temporary", "FINAL": "final",
  ]

  /// What ends the words of a command in a sentence.
  private static let ends: Set<String> = ["or", "and", "names", "shows", "can", "lifts", "first", "them", "it"]

  func said(_ text: String) -> String {
    let text = text.firstRange(of: "; usage:").map { String(text[..<$0.lowerBound]) } ?? text
    var said: [String] = []
    var isInCommand = false
    for word in text.split(separator: " ", omittingEmptySubsequences: false).map(String.init) {
      let (bare, tail) = Self.parts(word)
      if let page = Self.pages[bare] {
        said.append(Self.quoted(page) + tail)
        isInCommand = tail.isEmpty
      } else if isInCommand, !Self.ends.contains(bare) {
        // An argument of the command.
        if !tail.isEmpty {
          said[said.count - 1] += tail
          isInCommand = false
        }
      } else {
        isInCommand = false
        said.append(option(bare).map { $0 + tail } ?? word)
      }
    }
    return said.joined(separator: " ")
  }

  /// `Edit on the person's page` with the button in quotes; what is no button stays as it is.
  private static func quoted(_ page: String) -> String {
    if page.hasPrefix("the ") || page.hasPrefix("“") { return page }
    let place = [" on the ", " under "].compactMap { page.firstRange(of: $0)?.lowerBound }.min() ?? page.endIndex
    return "“" + page[..<place] + "”" + page[place...]
  }

  /// A word and the sign behind it.
  private static func parts(_ word: String) -> (bare: String, tail: String) {
    let tail = String(word.reversed().prefix { ",;:.)".contains($0) }.reversed())
    return (String(word.dropLast(tail.count)), tail)
  }

  private func option(_ word: String) -> String? {
    guard word.utf8.count > 1, word.utf8.allSatisfy({ $0 &- 0x41 < 26 || $0 == UInt8(ascii: "-") }) else { return nil }
    return labels[word.lowercased()].map { "“" + $0 + "”" } ?? Self.options[word]
  }
}
