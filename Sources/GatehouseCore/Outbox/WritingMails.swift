/// A mail as it is written for its recipient.
struct WrittenMail {
  let text: MailText
  let language: String
  /// Of the person whom it is about.
  let username: String
  let name: String
}

extension Turn {
  /// Makes the text of a mail, in the language of who gets it.
  func write(_ mail: Mail, about user: UserReference) -> WrittenMail {
    read(directory.lsn)
    let name = fullName(of: user, in: mail.workspace)
    let own =
      mail.fact(.manager).isEmpty ? user.cell.state.people.text(.language, of: user.contact) : mail.fact(.language)
    let (template, language, _) = directory.template(mail.kind, of: mail.workspace, in: own)
    return WrittenMail(
      text: template.filled { placeholder in
        switch placeholder {
        case "name": name
        case "username": user.username
        case "email": mail.recipient
        case "workspace": directory.workspace(mail.workspace).name
        case "message": mail.message
        case "secret": secret(of: mail)
        default: MailFact.allCases.first { $0.name == placeholder }.map { mail.fact($0) } ?? ""
        }
      }, language: language, username: user.username, name: name)
  }

  /// The name of a person as a workspace shows it; the username of who has none.
  func fullName(of user: UserReference, in workspace: WorkspaceID) -> String {
    let people = { (field: ContactField) in user.cell.state.people.text(field, of: user.contact) }
    let name = PersonName(first: people(.first), middle: people(.middle), last: people(.last))
      .text(format: directory.workspace(workspace).policies.nameFormat)
    return name.isEmpty ? user.username : name
  }
}
