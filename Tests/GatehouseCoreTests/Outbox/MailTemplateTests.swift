import Testing

@testable import GatehouseCore

/// The texts of mails: of workspaces and languages, and what cannot get into them.
@Suite("Mail templates")
struct MailTemplateTests {
  private let core = CoreHarness(partitions: 4)

  init() {
    for workspace in ["acme", "beta"] { core.run("WORKSPACE.CREATE \(workspace)") }
  }

  private func subject(of language: String, in workspace: String = "acme") -> String? {
    core.run("MAIL.TEMPLATE.GET invitation WORKSPACE \(workspace) LANGUAGE \(language)")["subject"].text
  }

  @Test("a person gets the text of their language, else of the workspace's, else the English one")
  func languages() {
    #expect(subject(of: "cs") == "Vaše přihlášení do {{workspace}}")
    #expect(subject(of: "cs-CZ") == "Vaše přihlášení do {{workspace}}")
    #expect(subject(of: "pt-BR") == "Your login for {{workspace}}")
    #expect(core.run("MAIL.TEMPLATE.SET invitation Convite {{name}} WORKSPACE acme LANGUAGE pt").text == "OK")
    #expect(subject(of: "pt-BR") == "Convite" && subject(of: "pt-BR", in: "beta") == "Your login for {{workspace}}")
    core.run("WORKSPACE.SET acme policy.mail.language pt-BR")
    #expect(subject(of: "de") == "Convite")
    core.run("USER.CREATE ana@acme.test WORKSPACE acme LANGUAGE cs")
    core.advance(1)
    core.run("USER.CREATE bob@acme.test WORKSPACE acme FIRST Bob")
    let mails = core.run("MAIL.NEXT COUNT 9").items
    #expect(mails.map { $0["subject"].text } == ["Vaše přihlášení do acme", "Convite"])
    #expect(mails.map { $0["language"].text } == ["cs", "pt"])
    #expect(mails[1]["text"].text == "Bob")
    #expect(core.run("MAIL.TEMPLATE.RESET invitation WORKSPACE acme LANGUAGE pt").integer == 1)
    #expect(core.run("MAIL.TEMPLATE.RESET invitation WORKSPACE acme LANGUAGE pt").integer == 0)
    #expect(subject(of: "pt") == "Your login for {{workspace}}")
    core.expectReplicated()
  }

  @Test("the list shows what there is for each kind, and which of it is the workspace's own")
  func list() {
    core.run("MAIL.TEMPLATE.SET invitation Hi {{name}} WORKSPACE acme LANGUAGE de")
    let rows = core.run("MAIL.TEMPLATE.LIST WORKSPACE acme").items
    #expect(rows.count == Mail.Kind.allCases.count * 2 + 1)
    let own = rows.filter { $0["own"].integer == 1 }
    #expect(own.map { $0["language"].text } == ["de"] && own.map { $0["subject"].text } == ["Hi"])
    #expect(core.run("MAIL.TEMPLATE.LIST WORKSPACE beta").items.allSatisfy { $0["own"].integer == 0 })
  }

  @Test("what cannot be a text is refused, saying why")
  func refusals() {
    func set(_ subject: String, _ text: String, _ more: String...) -> String? {
      core.run(["MAIL.TEMPLATE.SET", "invitation", subject, text] + more).text
    }
    #expect(set("Hi\nBcc: x@y.test", "a") == "ERR subject must be one line that can be seen")
    #expect(set(" ", "a") == "ERR subject must be one line that can be seen")
    #expect(set("Hi", "") == "ERR text is empty")
    #expect(
      set("Hi", "Dear {{nam}}")?.hasPrefix("ERR no placeholder {{nam}}; there are {{name}}, {{username}}, ") == true)
    #expect(set("Hi", "a", "LANGUAGE", "english!") == "ERR LANGUAGE is not a language tag, such as en or pt-br")
    #expect(
      core.run("MAIL.TEMPLATE.SET nothing Hi a").text?.hasPrefix("ERR no kind of mail 'nothing'; kinds are ") == true)
    #expect(
      set("Hi {{name", "a")?.hasPrefix("ERR '{{' without '}}' after it, in '{{name'; there are {{name}}, ") == true)
    #expect(
      set("Hi", "x }} {{ {{name}} }}")?.hasPrefix("ERR '{{' without '}}' after it, in '{{ '; there are ") == true)
    #expect(set("Hi", "{{ name }} }} {x}") == "OK")
  }

  @Test("W4: a template cannot grow beyond the bound of a mail's text, whatever is filled in")
  func bounded() {
    func set(_ text: String) -> String? {
      core.run(["MAIL.TEMPLATE.SET", "invitation", "s", text, "WORKSPACE", "acme"]).text
    }
    func many(_ count: Int) -> String { String(repeating: "{{message}}", count: count) }
    #expect(set(many(1480)) == "LIMIT placeholders: 1480 of at most 100 in a template")
    #expect(
      set(many(17))
        == "LIMIT text: with everything filled in it could have 69632 bytes, and a mail has at most 65536; use {{message}}"
        + " and the like less often")
    #expect(set(many(16)) == "OK")
    let message = String(repeating: "m", count: Limits.textBytes)
    core.run(["USER.CREATE", "ana@acme.test", "WORKSPACE", "acme", "MESSAGE", message])
    #expect(core.run("MAIL.NEXT")[0]["text"].text?.utf8.count == 65_536)
  }

  /// Records of before may have such a template.
  @Test("W4: what a template of before grows to is cut, in whole characters")
  func cut() {
    let template = MailTemplate(subject: "{{message}}", body: String(repeating: "{{message}}é", count: 1000))
    let text = template.filled { _ in String(repeating: "žluť ", count: 800) }
    #expect((65_530...65_536).contains(text.body.utf8.count) && text.body.hasPrefix("žluť žluť "))
    #expect(text.subject.unicodeScalars.count <= MailTemplate.subjectCharacters)
  }

  @Test("control characters are left out, and a subject of which nothing is there is the standard one")
  func controls() {
    let template = MailTemplate(subject: "{{message}}", body: "a\u{1b}b\u{85}c\u{7f}d\te\nf\r\u{a0}é \n\n")
    #expect(template.filled { _ in "" }.body == "abcd\te\nf\u{a0}é")
    core.run(["MAIL.TEMPLATE.SET", "invitation", "{{message}}", "Hello", "WORKSPACE", "acme"])
    core.run("USER.CREATE ana@acme.test WORKSPACE acme")
    #expect(core.run("MAIL.NEXT")[0]["subject"].text == "Your login for acme")
  }

  @Test("whatever a person is called, it adds nothing to the header, and is not filled in again")
  func hostileNames() {
    core.run([
      "USER.CREATE", "ana@acme.test", "WORKSPACE", "acme", "FIRST", "x\nBcc: evil@other.test", "LAST", "{{secret}}",
      "MESSAGE", "line\n.\nline",
    ])
    core.run("MAIL.TEMPLATE.SET invitation \"Hello {{name}}!\" {{name}}:{{message}} WORKSPACE acme")
    let mail = core.run("MAIL.NEXT")[0]
    #expect(mail["subject"].text == "Hello x Bcc: evil@other.test {{secret}}!")
    #expect(mail["text"].text == "x\nBcc: evil@other.test {{secret}}:line\n.\nline")
  }

  @Test("a preview shows a text as it would be, before it is set too")
  func preview() {
    let standard = core.run("MAIL.TEMPLATE.PREVIEW invitation WORKSPACE acme LANGUAGE cs")
    #expect(standard["subject"].text == "Vaše přihlášení do acme" && standard["language"].text == "cs")
    #expect(standard["text"].text?.contains("Dobrý den, Ana Nová,") == true)
    let own = core.run(["MAIL.TEMPLATE.PREVIEW", "timer-stopped", "SUBJECT", "By {{actor}}", "TEXT", "{{name}}!"])
    #expect(own["subject"].text == "By tom@acme.test" && own["text"].text == "Ana Nová!")
    #expect(core.run("MAIL.TEMPLATE.PREVIEW invitation TEXT {{x}}").isError)
  }

  @Test("W4: whoever governs one workspace writes nothing for another")
  func twoTenants() {
    core.run("PRODUCT.CREATE acme/app")
    core.run("USER.CREATE ana PRODUCT acme/app")
    core.run("ROLE.GRANT ana super-administrator WORKSPACE acme")
    let token = core.logIn("ana", "acme/app")
    #expect(core.run("MAIL.TEMPLATE.SET invitation Hi a WORKSPACE acme", as: token).text == "OK")
    for line in ["SET invitation Hi a", "GET invitation", "LIST", "PREVIEW invitation", "RESET invitation"] {
      #expect(core.run("MAIL.TEMPLATE.\(line) WORKSPACE beta", as: token).text == "NOTFOUND workspace beta")
    }
  }

  @Test("a snapshot has the texts that workspaces have written")
  func snapshot() throws {
    core.run("MAIL.TEMPLATE.SET invitation Hi {{name}} WORKSPACE acme LANGUAGE de")
    try core.restart()
    #expect(subject(of: "de") == "Hi")
  }
}
