import Foundation
import GatehouseTestSupport
import GatehouseWire
import Testing

@testable import gatehousectl

/// `gatehousectl mail` with a program that stands in for sendmail, and with a real one.
@Suite("gatehousectl mail", .serialized, .blocking)
struct MailTests {
  private let server: TestServer
  private let gate: Client
  private let folder: TemporaryFolder
  private let secret: String

  init() throws {
    server = try TestServer()
    folder = try TemporaryFolder("mail")
    gate = try server.client()
    for workspace in ["acme", "beta"] { try gate.ok("WORKSPACE.CREATE \(workspace)") }
    try gate.ok("SERVICE.CREATE ops ADMIN")
    secret = try gate.fields("SERVICE.CREATE mailer MAIL")["secret"] ?? ""
  }

  // MARK: Programs that send

  /// Writes a program that stands in for sendmail.
  private func program(_ lines: String) throws -> String {
    let path = folder.path("sendmail")
    try "#!/bin/sh\n\(lines)\n".write(toFile: path, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    return path
  }

  /// A program that keeps each mail in a file, with its arguments.
  private func keeper() throws -> String {
    try program(
      """
      file=$(mktemp \(folder.path("kept.XXXXXX")))
      cat > "$file"
      echo "$@" > "$file.arguments"
      """)
  }

  private var kept: [String] {
    get throws {
      try names(in: folder.path("")).filter { $0.hasPrefix("kept.") && !$0.hasSuffix(".arguments") }
        .map { readText(folder.path($0)) }
    }
  }

  private func environment() -> [String: String?] {
    ["GATEHOUSE_PORT": String(server.port), "GATEHOUSE_AUTH": "mailer:\(secret)"]
  }

  private func send(_ path: String, _ more: String...) throws -> ProgramResult {
    try runProgram(
      try GatehouseProgram.path() + "ctl",
      ["mail", "--once", "--sendmail", path, "--from", "noreply@acme.test"] + more, environment: environment())
  }

  // MARK: What is sent

  @Test("each mail is handed to sendmail once, as a message that mail programs can read")
  func message() throws {
    try gate.ok(
      "USER.CREATE", "ana@acme.test", "WORKSPACE", "acme", "FIRST", "Ána", "LAST", "Nová", "MESSAGE",
      "Žluťoučký kůň\n.\nFrom here on " + String(repeating: "long ", count: 40))
    let result = try send(try keeper())
    #expect(result.succeeded && result.output.hasPrefix("sent ") && result.output.hasSuffix(" (invitation)\n"))
    #expect(!result.output.contains("acme.test"), "addresses are nobody's business")
    let mails = try kept
    try #require(mails.count == 1)
    let arguments = try names(in: folder.path("")).filter { $0.hasSuffix(".arguments") }
    #expect(readText(folder.path(arguments[0])) == "-t -i -f noreply@acme.test\n")
    let read = try python(
      """
      import sys, email, email.policy, json
      m = email.message_from_string(sys.stdin.read(), policy=email.policy.default)
      print(json.dumps({"to": m["to"], "from": m["from"], "subject": m["subject"], "id": m["message-id"],
        "auto": m["auto-submitted"], "language": m["content-language"], "date": str(m["date"].datetime.year),
        "defects": len(m.defects), "text": m.get_content()}))
      """, input: mails[0])
    #expect(read["to"] as? String == "ana@acme.test" && read["from"] as? String == "noreply@acme.test")
    #expect(read["subject"] as? String == "Your login for acme" && read["defects"] as? Int == 0)
    #expect(read["auto"] as? String == "auto-generated" && read["language"] as? String == "en")
    #expect((read["id"] as? String)?.hasPrefix("<gatehouse.") == true)
    let text = try #require(read["text"] as? String)
    #expect(text.hasPrefix("Hello Ána Nová,\n\n") && text.contains("Žluťoučký kůň\n.\nFrom here on long long"))
    #expect(mails[0].split(separator: "\n").allSatisfy { $0.utf8.count <= 78 && $0.utf8.allSatisfy { $0 < 0x80 } })
    #expect(try gate.pages("MAIL.LIST").isEmpty)
    #expect(try send(folder.path("sendmail")).output.isEmpty, "nothing is sent twice")
  }

  @Test("hostile names, subjects and addresses add neither a header nor a recipient")
  func hostile() throws {
    try gate.ok(
      "USER.CREATE", "eve", "EMAIL", "x,evil@other.test", "WORKSPACE", "acme", "FIRST",
      "a\nBcc: evil@other.test\n\nbody", "LAST", "=?utf-8?Q?x?=")
    try gate.ok("MAIL.TEMPLATE.SET", "invitation", "Hello {{name}}", "{{name}}", "WORKSPACE", "acme")
    #expect(try send(try keeper()).succeeded)
    let read = try python(
      """
      import sys, email, email.policy, json
      from email.utils import getaddresses
      m = email.message_from_string(sys.stdin.read(), policy=email.policy.default)
      print(json.dumps({"keys": sorted(k.lower() for k in m.keys()), "subject": m["subject"],
        "to": [[a.username, a.domain] for a in m["to"].addresses], "text": m.get_content()}))
      """, input: try kept[0])
    #expect((read["keys"] as? [String])?.contains("bcc") == false)
    #expect((read["to"] as? [[String]]) == [["x,evil", "other.test"]], "one recipient, with a comma in the name")
    #expect(read["subject"] as? String == "Hello a Bcc: evil@other.test body =?utf-8?Q?x?=")
  }

  @Test("a mark in an address is a mark, whatever joins with it")
  func joinedMarks() {
    #expect(MailMessage.address("x\"\u{301},y@other.test") == "<\"x\\\"\u{301},y\"@other.test>")
    #expect(MailMessage.address("x\\\u{301}\"@other.test") == "<\"x\\\\\u{301}\\\"\"@other.test>")
    #expect(MailMessage.address("x@\u{301}y@other.test") == nil)
    #expect(MailMessage.address("x.\u{301}.y@other.test") == "<x.\u{301}.y@other.test>")
    #expect(MailMessage.address("x..y@other.test") == "<\"x..y\"@other.test>")
    #expect(MailMessage.address("x@other.test") == "<x@other.test>")
  }

  private func python(_ script: String, input: String) throws -> [String: Any] {
    let result = try runProgram("python3", ["-c", script], input: input)
    guard result.succeeded else { throw TestFailure("python3: \(result.errors)") }
    return try result.object()
  }

  // MARK: Failures

  @Test("what sendmail refuses is tried again, or is a dead letter if trying does not help")
  func failures() throws {
    try gate.ok("USER.CREATE ana@acme.test")
    let refused = try send(try program("cat > /dev/null; echo 'no route' >&2; exit 75"), "--json")
    let line = try #require(try refused.objects().first)
    #expect(line["state"] as? String == "failed" && refused.succeeded)
    #expect((line["why"] as? String)?.hasSuffix("sendmail exited with 75: no route") == true)
    var mail = try gate.pages("MAIL.LIST")[0]
    #expect(mail["state"] == "waiting" && mail["attempts"] == "1")
    #expect(mail["error"]?.hasSuffix("exited with 75: no route") == true)
    try gate.ok("MAIL.RETRY \(mail["id"] ?? "")")
    #expect(try send(try program("cat > /dev/null; exit 67")).output.hasPrefix("dead "))
    mail = try gate.pages("MAIL.LIST")[0]
    #expect(mail["state"] == "dead")
    try gate.ok("MAIL.RETRY \(mail["id"] ?? "")")
    #expect(try send(try program("exit 0")).succeeded, "a program that reads nothing, of a short mail")
  }

  @Test("a wrong command line, program or secret is an error that says what to do")
  func errors() throws {
    let missing = try send(folder.path("nothing"))
    #expect(missing.code == 74 && missing.errors.hasSuffix("is no program; name one with --sendmail\n"))
    let stranger = try runProgram(
      try GatehouseProgram.path() + "ctl", ["mail", "--once", "--sendmail", try keeper()],
      environment: ["GATEHOUSE_PORT": String(server.port), "GATEHOUSE_AUTH": "mailer:wrong"])
    #expect(stranger.code == 1 && stranger.errors.contains("WRONGPASS"))
    #expect(try control("mail", "--from", "-x@y").code == 64)
    #expect(try control("mail", "--batch", "0").code == 64)
    let short = try control("mail", "--lease", "1s")
    #expect(short.code == 64 && short.errors.contains("--lease must be at least twice as long as --timeout"))
    let reader = try gate.fields("SERVICE.CREATE reader READ")["secret"] ?? ""
    let noRight = try runProgram(
      try GatehouseProgram.path() + "ctl", ["mail", "--once", "--sendmail", try keeper()],
      environment: ["GATEHOUSE_PORT": String(server.port), "GATEHOUSE_AUTH": "reader:\(reader)"])
    #expect(noRight.code == 1 && noRight.errors.contains("NOPERM the service right MAIL"))
  }

  @Test(
    "whatever sendmail prints, the failure is recorded and the next mail is sent",
    arguments: [
      (#"printf 'smtp \033[31mred\033[0m \000' >&2"#, #"smtp \u{1b}[31mred\u{1b}[0m \u{0}"#),
      (#"printf 'a%0.s\314\201' $(seq 600) >&2"#, "a\u{301}a\u{301}"),
      (#"printf '\377\376' >&2"#, "\u{fffd}"),
    ])
  func hostileComplaints(complaint: String, shown: String) throws {
    for name in ["ana", "bob"] { try gate.ok("USER.CREATE \(name)@acme.test") }
    let result = try send(try program("grep -q 'To: <ana' && { \(complaint); exit 75; }; exit 0"))
    #expect(result.succeeded, "\(result.errors)")
    let mails = try gate.pages("MAIL.LIST")
    #expect(mails.map { $0["to"] } == ["ana@acme.test"] && mails[0]["state"] == "waiting")
    #expect(mails[0]["error"]?.contains("exited with 75: ") == true)
    #expect(mails[0]["error"]?.contains(shown) == true, "\(mails[0]["error"] ?? "")")
  }

  @Test("a sendmail that hangs is ended with all that it has started, and the mail is tried again later")
  func hanging() throws {
    try gate.ok("USER.CREATE ana@acme.test")
    let path = try program("cat > /dev/null; sleep 300 & echo $! > \(folder.path("child")); wait")
    let result = try send(path, "--timeout", "1s", "--lease", "5s")
    #expect(result.succeeded && result.output.contains("was not done in time, and was ended"))
    let child = try #require(pid_t(readText(folder.path("child")).trimmingCharacters(in: .whitespacesAndNewlines)))
    try eventually("its child is gone") { kill(child, 0) != 0 || readText("/proc/\(child)/stat").contains(") Z ") }
    #expect(try gate.pages("MAIL.LIST").map { $0["state"] } == ["waiting"])
  }

  @Test("mails that take longer than a short lease are sent once by two couriers")
  func slow() throws {
    for number in 0..<4 { try gate.ok("USER.CREATE u\(number)@acme.test") }
    let path = try program(
      "cat > $(mktemp \(folder.path("kept.XXXXXX"))); sleep 1.2")
    let couriers = try (0..<2).map { number in
      try ChildProcess(
        try GatehouseProgram.path() + "ctl",
        ["mail", "--once", "--sendmail", path, "--batch", "4", "--timeout", "2s", "--lease", "4s"],
        environment: environment(), output: folder.path("output\(number)"), errors: folder.path("errors\(number)"))
    }
    for courier in couriers { #expect(courier.wait(upTo: .seconds(60)) == .exited(0)) }
    #expect(try kept.count == 4)
    #expect(try gate.pages("MAIL.LIST").isEmpty)
  }

  // MARK: Running on

  @Test("at SIGTERM mails that were not begun are given back at once, without an attempt")
  func givenBack() throws {
    for number in 0..<5 { try gate.ok("USER.CREATE u\(number)@acme.test") }
    let path = try program("cat > $(mktemp \(folder.path("kept.XXXXXX"))); sleep 1")
    let child = try ChildProcess(
      try GatehouseProgram.path() + "ctl", ["mail", "--sendmail", path], environment: environment(),
      output: folder.path("output"), errors: folder.path("errors"))
    try eventually("one is being sent") { try !kept.isEmpty }
    child.signal(SIGTERM)
    #expect(child.wait(upTo: .seconds(20)) == .exited(0))
    let rest = try gate.pages("MAIL.LIST")
    #expect(try rest.count == 5 - kept.count && rest.allSatisfy { $0["state"] == "waiting" && $0["attempts"] == "0" })
    #expect(try gate.list("MAIL.NEXT COUNT 9").count == rest.count)
  }

  @Test("it outlives restarts of the server, sends nothing twice, and stops between two mails at SIGTERM")
  func restarts() throws {
    let path = try keeper()
    let child = try ChildProcess(
      try GatehouseProgram.path() + "ctl",
      ["mail", "--sendmail", path, "--batch", "3", "--lease", "5s", "--timeout", "2s"],
      environment: environment(),
      output: folder.path("output"), errors: folder.path("errors"))
    let other = try gate.fields("SERVICE.CREATE ops2 ADMIN")["secret"] ?? ""
    func create(_ numbers: Range<Int>) throws {
      let gate = try server.client(.resp2)
      try gate.ok("AUTH ops2 \(other)")
      for number in numbers { try gate.ok("USER.CREATE u\(number)@acme.test") }
    }
    for round in 0..<3 {
      try create(round * 10..<(round + 1) * 10)
      if round == 1 { pause(.milliseconds(200)) }
      server.kill()
      pause(.milliseconds(300))
      try server.start()
    }
    try eventually("all are sent", within: .seconds(60)) { try kept.count >= 30 }
    child.signal(SIGTERM)
    #expect(child.wait(upTo: .seconds(20)) == .exited(0))
    let recipients = try kept.compactMap { mail in
      mail.split(separator: "\n").first { $0.hasPrefix("To: ") }.map(String.init)
    }
    #expect(recipients.count == 30 && Set(recipients).count == 30)
    #expect(readText(folder.path("errors")).contains("waiting for the server: "))
  }

  // MARK: The real thing

  @Test("a real sendmail program delivers to a real SMTP server")
  func realThing() throws {
    guard let msmtp = findProgram("msmtp") else {
      withKnownIssue("msmtp is not installed: apt-get install msmtp") { Issue.record("skipped") }
      return
    }
    let sink = try SMTPSink(in: folder)
    try gate.ok("USER.CREATE", "ana@acme.test", "WORKSPACE", "acme", "LANGUAGE", "cs", "MESSAGE", ".\n..\nahoj")
    try gate.ok("USER.CREATE refused@acme.test WORKSPACE acme")
    let configuration = folder.path("msmtprc")
    try "account default\nhost 127.0.0.1\nport \(sink.port)\nfrom noreply@acme.test\nauth off\ntls off\n"
      .write(toFile: configuration, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: configuration)
    let result = try send(try program("exec \(msmtp) -C \(configuration) \"$@\""))
    #expect(result.succeeded)
    let mails = try sink.mails()
    try #require(mails.count == 1, "\(result.output)\(result.errors)")
    #expect(mails[0]["sender"] as? String == "noreply@acme.test")
    #expect(mails[0]["recipients"] as? [String] == ["ana@acme.test"])
    #expect(mails[0]["subject"] as? String == "Vaše přihlášení do acme")
    #expect(
      (mails[0]["text"] as? String)?.hasSuffix("Vaše uživatelské jméno je ana@acme.test.\n\n.\n..\nahoj\n") == true)
    let rest = try gate.pages("MAIL.LIST")
    #expect(rest.map { $0["to"] } == ["refused@acme.test"])
    #expect(rest[0]["error"]?.contains("550") == true, "\(rest[0]["error"] ?? "")")
  }
}
