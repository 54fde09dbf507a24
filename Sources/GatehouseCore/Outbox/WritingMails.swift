/// A mail as it is written for its recipient.
struct WrittenMail {
  let recipient: String
  let text: MailText
  let language: String
  /// The person whom it is about, or who that one was merged into.
  let user: UserID
  /// Of the person whom it is about.
  let username: String
  let name: String
}

extension Turn {
  /// Makes the text of a mail, in the language of who gets it.
  func write(_ mail: Mail, about user: UserReference) -> WrittenMail {
    read(directory.lsn)
    // Who has left the workspace for another one is told by what that knew (W4).
    let isStranger = isStrangerToSender(user)
    let recipient = recipient(of: mail, about: user)
    let username = nameForSender(of: user, mail)
    let name =
      !isStranger ? fullName(of: user, in: mail.workspace) : mail.kind.followsPerson ? recipient : username
    let own =
      isStranger || !mail.fact(.manager).isEmpty
      ? mail.fact(.language) : user.cell.state.people.text(.language, of: user.contact)
    let (template, language) = template(of: mail, about: user, in: own)
    let value = { (placeholder: String) -> String in
      switch placeholder {
      case "name": name
      case "username": username
      case "email": recipient
      case "workspace": self.directory.workspace(mail.workspace).name
      case "message": mail.message
      case MailTemplate.secret: self.secret(of: mail)
      default: MailFact.allCases.first { $0.name == placeholder }.map { mail.fact($0) } ?? ""
      }
    }
    var text = template.filled(value)
    if text.subject.isEmpty {
      // All that stands in it is not there. A mail without a subject is taken for spam.
      let standard = MailTemplate.standard(mail.kind, in: language) ?? .english(mail.kind)
      text.subject = standard.filled(value).subject
    }
    return WrittenMail(
      recipient: recipient, text: text, language: language, user: user.id, username: username, name: name)
  }

  /// The template of a mail.
  ///
  /// Power over one workspace must not give power over those who administer the whole server. So what carries a secret of
  /// theirs has the standard text, unless their home is `main`, where only they write it.
  private func template(
    of mail: Mail, about user: UserReference, in language: String
  ) -> (template: MailTemplate, language: String) {
    guard mail.kind.carriesSecret, mail.workspace != mainWorkspace,
      user.grants.contains(where: { directory.workspace(of: $0.scope) == nil && directory.isAdministrators($0.role) })
    else {
      let found = directory.template(mail.kind, of: mail.workspace, in: language)
      return (found.template, found.language)
    }
    let languages = Language.chain(language) + Language.chain(directory.workspace(mail.workspace).policies.language)
    for language in languages {
      if let standard = MailTemplate.standard(mail.kind, in: language) { return (standard, language) }
    }
    return (.english(mail.kind), Language.standard)
  }

  /// Whether somebody has left all workspaces whose mails the caller handles.
  private func isStrangerToSender(_ user: UserReference) -> Bool {
    isLimited && isStranger(user.ofPerson, in: reach(of: .mailHandle))
  }

  /// The username of whom a mail is about, `#id` where the caller must not be told it.
  func nameForSender(of user: UserReference, _ mail: Mail) -> String {
    !isStrangerToSender(user) || isNamed(user, in: mail.workspace) ? user.username : "#\(user.id.raw)"
  }

  /// To whom a mail goes now: if it is for the person, to the address that the person has by now.
  func recipient(of mail: Mail, about user: UserReference) -> String {
    guard mail.kind.followsPerson, !isStrangerToSender(user) else { return mail.recipient }
    let address = address(of: user)
    return EntityNames.isEmail(address) ? address : mail.recipient
  }

  /// The name of a person as a workspace shows it; the username of who has none.
  func fullName(of user: UserReference, in workspace: WorkspaceID) -> String {
    let people = { (field: ContactField) in user.cell.state.people.text(field, of: user.contact) }
    let name = PersonName(first: people(.first), middle: people(.middle), last: people(.last))
      .text(format: directory.workspace(workspace).policies.nameFormat)
    return name.isEmpty ? user.username : name
  }
}
