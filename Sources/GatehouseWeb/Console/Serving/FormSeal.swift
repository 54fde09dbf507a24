import HTTPTypes

/// For whom and where a form was made, which it carries along in fields of its own. It is carried out for them alone, even
/// if the browser has gone to another workspace meanwhile, or an impersonation has begun or ended.
enum FormSeal {
  /// The fields that every form has, which are not its own.
  static let fields: Set<String> = ["csrf", "as", "in", "here"]

  /// The session that commands run on, with the name for who reads of it.
  static func text(of person: SignedIn) -> String { "\(person.session) \(person.username)" }

  /// The workspace that a form was made for.
  ///
  /// - Throws: `Problem` if the form was made for somebody else than who now sends it.
  static func workspace(of form: FormFields, sentBy person: SignedIn) throws -> String {
    let made = form["as"].parts(separatedBy: " ", most: 2)
    guard made.count == 2, !form["in"].isEmpty else {
      throw Problem(
        .forbidden, "NOPERM", "the form does not say for whom it was made; nothing was carried out; load the page again"
      )
    }
    guard made[0] == String(person.session) else {
      throw Problem(
        .conflict, "STALE",
        "this form was made as \(made[1]), and you are \(person.username) now, so nothing was carried out; load the page "
          + "again, and send it again if you want it done as \(person.username)")
    }
    return form["in"]
  }
}
