import ArgumentParser
import GatehouseCommandLine
import GatehouseCore
import GatehouseWire
import Glibc

/// `gatehousectl mail`: has the mails that wait in a server sent by a program that is compatible with sendmail.
struct MailCommand: OperatorCommand {
  static let configuration = CommandConfiguration(
    commandName: "mail",
    abstract: "Send the mails that wait: invitations, notices.",
    discussion: """
      EXAMPLES:
        gatehousectl mail --from noreply@acme.example    until it is stopped
        gatehousectl mail --once                         what is due now
        gatehousectl mail --sendmail /usr/bin/msmtp

      Takes mails with MAIL.NEXT and hands each to `sendmail -t -i`. What fails is
      tried again after growing waits, and after \(Limits.mailAttempts) attempts it is a dead letter:
      MAIL.LIST STATE dead shows why, MAIL.RETRY sends it after all. Outlives restarts
      of the server; SIGTERM and SIGINT stop it between two mails, which is no
      failure: the exit code is 0, and mails that it has not begun are given back.

      GATEHOUSE_AUTH=name:secret says which service it is; the right MAIL is enough.

      \(ExitStatus.help)
      """)

  @OptionGroup var output: OutputOptions

  @Option(help: ArgumentHelp("the server's address (or GATEHOUSE_HOST)", valueName: "host"))
  var host: String?

  @Option(help: ArgumentHelp("the server's port (or GATEHOUSE_PORT)", valueName: "port"))
  var port: Int?

  @OptionGroup(title: "TLS") var tls: TLSOptions

  @Option(help: ArgumentHelp("the program that sends a mail", valueName: "path"))
  var sendmail = "/usr/sbin/sendmail"

  @Option(help: ArgumentHelp("the sender's address; without it, sendmail chooses one", valueName: "address"))
  var from: String?

  @Flag(help: "send what is due now, and end")
  var once = false

  @Option(help: ArgumentHelp("how many mails to take at a time", valueName: "n"))
  var batch = 10

  @Option(help: ArgumentHelp("for how long to take them, such as 5m", valueName: "duration"))
  var lease = Lease(milliseconds: Limits.mailLeaseDefault)

  @Option(help: ArgumentHelp("how long sendmail may take for one mail", valueName: "duration"))
  var timeout = Lease(milliseconds: Milliseconds(Sendmail.patienceDefault))

  func validate() throws {
    guard lease.milliseconds >= MailCourier.shortestLease(patience: timeout.milliseconds) else {
      throw ValidationError("--lease must be at least twice as long as --timeout, or mails would be sent twice")
    }
    guard (1...Limits.mailsOfLease).contains(batch) else {
      throw ValidationError("--batch must be from 1 to \(Limits.mailsOfLease)")
    }
    if let from, MailMessage.address(from) == nil || from.hasPrefix("-") {
      throw ValidationError("--from must be an e-mail address")
    }
  }

  /// How long to wait for mails when there are none, and at most for a server that does not answer.
  private static let pause = 1000
  private static let longestPause = 30_000

  func perform() throws {
    guard access(sendmail, X_OK) == 0 else {
      Console.message("gatehousectl: \(sendmail) is no program; name one with --sendmail")
      throw ExitCode(ExitStatus.io)
    }
    Interruption.watch()
    signal(SIGPIPE, SIG_IGN)
    let address = try ServerAddress.find(host: host, port: port, tls: tls)
    let courier = MailCourier(
      Sendmail(
        path: sendmail, sender: from, patience: Int(timeout.milliseconds), isStopping: { !Interruption.isAbsent }),
      batch: batch, lease: lease.milliseconds, report: report)
    var client: BlockingClient?
    var pause = Self.pause
    while Interruption.isAbsent {
      do {
        let connected = try client ?? connect(to: address)
        client = connected
        let count = try courier.work(connected) { Interruption.isAbsent }
        pause = Self.pause
        if once { return }
        if count == 0 { sleep(pause) }
      } catch let refused as MailCourier.Refused where !refused.isTemporary {
        Console.message("gatehousectl: the server refused: \(refused.text)")
        throw ExitCode(ExitStatus.problems)
      } catch {
        client = nil
        let reason = (error as? MailCourier.Refused)?.text ?? "\(error)"
        if once { Console.message("gatehousectl: \(reason)"); throw ExitCode(ExitStatus.noServer) }
        if pause == Self.pause { Console.message("gatehousectl: waiting for the server: \(reason)") }
        sleep(pause)
        pause = min(pause * 2, Self.longestPause)
      }
    }
  }

  private func connect(to address: ServerAddress) throws -> BlockingClient {
    let client = try address.open()
    if let text = try client.command(address.greeting).errorText {
      throw MailCourier.Refused(text: address.explained(text))
    }
    client.timeout = .seconds(60)
    return client
  }

  /// Sleeps until a signal comes or the time is over.
  private func sleep(_ milliseconds: Int) { if Interruption.isAbsent { _ = poll(nil, 0, Int32(milliseconds)) } }

  private func report(_ event: MailCourier.Event) {
    switch event {
    case .sent(let mail):
      Console.result(
        output.json ? line(mail, "sent", why: nil) : "sent \(mail.id) (\(mail.kind))")
    case .failed(let mail, let why, let isFinal):
      let state = isFinal ? "dead" : "failed"
      Console.result(
        output.json
          ? line(mail, state, why: why) : ShownText.line("\(state) \(mail.id) (\(mail.kind)): \(why)"))
    }
  }

  private func line(_ mail: OutgoingMail, _ state: String, why: String?) -> String {
    var object = JSONObject()
    object.add("id", UInt64(mail.id))
    object.add("kind", mail.kind)
    object.add("attempt", UInt64(mail.attempt))
    object.add("state", state)
    object.add("why", why)
    return object.line
  }
}

/// For how long mails are taken.
struct Lease: ExpressibleByArgument {
  let milliseconds: Milliseconds

  init(milliseconds: Milliseconds) { self.milliseconds = milliseconds }

  init?(argument: String) {
    guard let duration = TimeText.duration(argument), Limits.mailLease.contains(duration) else { return nil }
    milliseconds = duration
  }

  var defaultValueDescription: String {
    milliseconds % 60_000 == 0 ? "\(milliseconds / 60_000)m" : "\(milliseconds / 1000)s"
  }
}
