import GatehouseCore
import GatehouseWire

/// Takes mails from a server and has them sent, one after the other.
///
/// What became of a mail is told to the server before anything else is asked, after a reconnect too. So a mail is sent twice
/// only if this program or its machine dies between handing it to sendmail and telling so.
final class MailCourier {
  private let sendmail: Sendmail
  private let batch: Int
  private let lease: Milliseconds
  private let report: (Event) -> Void
  /// Mails that were taken and not handed to sendmail yet, and until when nobody else gets them.
  private var taken: ArraySlice<OutgoingMail> = []
  private var leaseEnd = ContinuousClock.now
  /// Answers that the server may not have got yet.
  private var answers: [[String]] = []
  /// Mails that were sent, and whose answers the server may not have got yet.
  private var sent: Set<Int64> = []

  enum Event {
    case sent(OutgoingMail)
    case failed(OutgoingMail, why: String, isFinal: Bool)
  }

  /// The server answered with an error.
  struct Refused: Error {
    let text: String

    /// Whether the same may succeed later: the server is starting, stopping or out of room.
    var isTemporary: Bool {
      let code = text.prefix { $0 != " " }
      return ["LOADING", "BUSY", "READONLY"].contains(code)
    }
  }

  init(_ sendmail: Sendmail, batch: Int, lease: Milliseconds, report: @escaping (Event) -> Void) {
    self.sendmail = sendmail
    self.batch = batch
    self.lease = lease
    self.report = report
  }

  /// Sends the mails that are due, as long as there are any.
  ///
  /// - Parameter goesOn: asked before each mail.
  /// - Returns: how many were sent or have failed.
  func work(_ client: BlockingClient, while goesOn: () -> Bool) throws -> Int {
    try tellAnswers(client)
    var count = 0
    while goesOn() {
      if taken.isEmpty { try take(client) }
      guard let mail = taken.popFirst() else { return count }
      if sent.contains(mail.id) { continue }
      if ContinuousClock.now < leaseEnd {
        send(mail)
        count += 1
      } else {
        // Its lease could end before it is sent, and somebody else would send it, too.
        giveBack(mail)
      }
      try tellAnswers(client)
    }
    // Somebody else may send the rest at once, and it has cost them no attempt.
    while let mail = taken.popFirst() { giveBack(mail) }
    try tellAnswers(client)
    return count
  }

  private func giveBack(_ mail: OutgoingMail) {
    answers.append(["MAIL.RETURN", "\(mail.id)", "ATTEMPT", "\(mail.attempt)"])
  }

  private func take(_ client: BlockingClient) throws {
    let end = ContinuousClock.now + .milliseconds(lease - Self.margin(of: sendmail))
    let reply = try ask(client, ["MAIL.NEXT", "COUNT", "\(batch)", "LEASE", "\(lease)"])
    taken = (reply.elements ?? []).compactMap(OutgoingMail.init)[...]
    leaseEnd = end
  }

  /// How long before the end of a lease no mail is begun: as long as sending one may take, and half of it for telling so.
  private static func margin(of sendmail: Sendmail) -> Milliseconds {
    Milliseconds(sendmail.patience + sendmail.patience / 2)
  }

  /// The shortest lease that leaves time to send something.
  static func shortestLease(patience: Milliseconds) -> Milliseconds { patience * 2 }

  private func send(_ mail: OutgoingMail) {
    let outcome: Sendmail.Outcome
    do {
      outcome = sendmail.send(try MailMessage(mail: mail, sender: sendmail.sender).text(at: now()))
    } catch {
      outcome = .failed("\(error)", isFinal: true)
    }
    switch outcome {
    case .sent:
      sent.insert(mail.id)
      answers.append(["MAIL.ACK", "\(mail.id)", "ATTEMPT", "\(mail.attempt)"])
      report(.sent(mail))
    case .failed(let why, let isFinal):
      let words = [
        "MAIL.FAIL", "\(mail.id)", ShownText.prefix(why, bytes: Self.complaintBytes), "ATTEMPT", "\(mail.attempt)",
      ]
      answers.append(isFinal ? words + ["FINAL"] : words)
      report(.failed(mail, why: why, isFinal: isFinal))
    }
  }

  /// How much of what sendmail complains about is kept with the mail.
  private static let complaintBytes = 500

  private func tellAnswers(_ client: BlockingClient) throws {
    while let answer = answers.first {
      _ = try ask(client, answer)
      answers.removeFirst()
      if let id = Int64(answer[1]) { sent.remove(id) }
    }
  }

  private func ask(_ client: BlockingClient, _ words: [String]) throws -> RESPValue {
    let reply = try client.command(words)
    if let text = reply.errorText { throw Refused(text: text) }
    return reply
  }
}
