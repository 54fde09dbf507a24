import GatehouseWire

/// A mail as `MAIL.NEXT` hands it out.
struct OutgoingMail {
  let id: Int64
  let kind: String
  let attempt: Int64
  let recipient: String
  let language: String
  let subject: String
  let text: String
  let created: Int64

  /// - Returns: nil if the reply lacks something, as that of a server of another version may.
  init?(_ reply: RESPValue) {
    guard let id = reply["id"]?.integer, let kind = reply["kind"]?.string, let attempt = reply["attempt"]?.integer,
      let recipient = reply["to"]?.string, let language = reply["language"]?.string,
      let subject = reply["subject"]?.string, let text = reply["text"]?.string, let created = reply["created"]?.integer
    else { return nil }
    self.id = id
    self.kind = kind
    self.attempt = attempt
    self.recipient = recipient
    self.language = language
    self.subject = subject
    self.text = text
    self.created = created
  }
}
