import Foundation
import GatehouseCore
import Testing

@testable import GatehouseWeb

/// What the server says in commands is said in the words of pages.
@Suite("The console's words")
struct ConsoleWordsTests {
  @Test(
    "a command with its arguments becomes the page that has it",
    arguments: [
      (
        "set a status that may log in first with USER.STATUS user active",
        "set a status that may log in first with “Other status” on the person's page"
      ),
      (
        "delete the user first with USER.DELETE ana REASON text",
        "delete the user first with “Delete the login” on the person's page"
      ),
      (
        "use PASSWORD.CHANGE old new, or PASSWORD.RESET",
        "use “Password” on the page of your account, or “Forgotten your password?” at the sign-in"
      ),
      ("record 7; AUDIT.LIST names them", "record 7; the trail names them"),
      ("take that away first with ROLE.REVOKE or MANAGE.REMOVE", nil),
      ("the limit is 12 a day", "the limit is 12 a day"),
    ] as [(String, String?)])
  func commands(_ server: String, _ console: String?) {
    let said = ConsoleWords().said(server)
    if let console { #expect(said == console) }
    #expect(!said.contains(#/\b[A-Z]{2,}\.[A-Z]{2,}/#), "\(said)")
  }

  @Test("each button that a refusal names is one of the console's")
  func buttons() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let folder = root.appendingPathComponent("Sources/GatehouseWeb/Console")
    var pages = ""
    for path in try FileManager.default.subpathsOfDirectory(atPath: folder.path)
    where path.hasSuffix(".swift") && !path.hasSuffix("ConsoleWords.swift") {
      pages += try String(contentsOf: folder.appendingPathComponent(path), encoding: .utf8)
    }
    let templates = root.appendingPathComponent("Sources/GatehouseWeb/Console/Resources")
    for path in try FileManager.default.subpathsOfDirectory(atPath: templates.path) where path.hasSuffix(".mustache") {
      pages += try String(contentsOf: templates.appendingPathComponent(path), encoding: .utf8)
    }
    for command in CommandTable.all {
      let said = ConsoleWords().said("do it with \(command.name)")
      guard let button = said.firstMatch(of: /“([^”]+)”/)?.1, button != "Forgotten your password?" else { continue }
      #expect(pages.contains("\"\(button)\"") || pages.contains(">\(button)<"), "\(command.name): \(said)")
    }
  }

  @Test("an option is the field of the form, and what only a command line has is left out")
  func options() {
    let words = ConsoleWords(labels: ["until": "Until", "from": "From", "accept-billing": "I accept it"])
    #expect(words.said("UNTIL must be after now, and after FROM") == "“Until” must be after now, and after “From”")
    #expect(words.said("add ACCEPT-BILLING") == "add “I accept it”")
    #expect(ConsoleWords().said("add ACCEPT-BILLING") == "add the tick that accepts a change of the bill")
    #expect(ConsoleWords().said("TTL is missing; usage: APIKEY.CREATE user [TTL duration]") == "TTL is missing")
    // What somebody has typed in capitals is nobody's option.
    #expect(ConsoleWords().said("no role 'ACME'; name another") == "no role 'ACME'; name another")
  }

  @Test("moments in a sentence are shown in the reader's zone")
  func moments() {
    let cells = Cell.withMoments("record 7 is of 2026-11-29T10:00:00.123Z, longer ago. Not 2026-11-29.")
    #expect(cells.count == 3)
    #expect(cells[1].values.values("time")?.text("iso") == "2026-11-29T10:00:00.123Z")
    #expect(cells[2].values.text("plain") == ", longer ago. Not 2026-11-29.")
    #expect(Cell.withMoments("try again after 2026-11-29T10:00:00Z.").count == 3)
  }
}
