import Foundation
import GatehouseTestSupport

/// An SMTP server of Python that keeps what it gets, as the mail program `email` of Python reads it. It refuses recipients
/// whose address begins with `refused`.
final class SMTPSink {
  let port: UInt16
  private let process: ChildProcess
  private let output: String

  init(in folder: TemporaryFolder) throws {
    port = try FreePort.next()
    output = folder.path("sink")
    process = try ChildProcess(
      "python3", ["-u", "-c", Self.script, String(port)], output: output, errors: folder.path("sink.errors"))
    try eventually("the SMTP server listens") { readText(output).hasPrefix("listening\n") }
  }

  /// The mails so far.
  func mails() throws -> [[String: Any]] {
    try readText(output).split(separator: "\n").dropFirst().map { line in
      guard let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else {
        throw TestFailure("no object: \(line)")
      }
      return object
    }
  }

  private static let script = """
    import asyncio, email, email.policy, json, sys

    async def serve(reader, writer):
        def say(line):
            writer.write(line.encode() + b"\\r\\n")
        sender, recipients = "", []
        say("220 sink")
        while True:
            line = (await reader.readline()).decode("utf-8", "replace").rstrip("\\r\\n")
            verb = line.upper()
            if verb.startswith(("EHLO", "HELO")):
                say("250 sink")
            elif verb.startswith("MAIL FROM:"):
                sender, recipients = line[10:].split(">")[0].strip(" <"), []
                say("250 ok")
            elif verb.startswith("RCPT TO:"):
                address = line[8:].split(">")[0].strip(" <")
                if address.startswith("refused"):
                    say("550 no such user")
                else:
                    recipients.append(address)
                    say("250 ok")
            elif verb == "DATA":
                say("354 go on")
                await writer.drain()
                lines = []
                while (line := await reader.readline()) != b".\\r\\n":
                    lines.append(line[1:] if line.startswith(b".") else line)
                mail = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
                print(json.dumps({"sender": sender, "recipients": recipients, "subject": mail["subject"],
                                  "text": mail.get_content().replace("\\r\\n", "\\n")}))
                say("250 ok")
            elif verb == "QUIT" or not line:
                say("221 bye")
                break
            else:
                say("250 ok")
            await writer.drain()
        writer.close()

    async def main():
        server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
        print("listening")
        async with server:
            await server.serve_forever()

    asyncio.run(main())
    """
}
