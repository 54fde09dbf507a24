import GatehouseTestSupport
import Testing

@testable import GatehouseCore

/// S3, L24: finding people by the beginnings of their names.
@Suite struct SearchTests {
  let core = CoreHarness(partitions: 4)

  private func found(_ line: String) -> [String] {
    core.run(line).items.compactMap { $0["name"].text }
  }

  @Test("S3: without case and accents, any part of the name, every word") func words() {
    core.run("CONTACT.CREATE NAME \"Łukasz Nowak\" EMAIL lukasz@acme.test")
    core.run("CONTACT.CREATE FIRST Anne-Marie LAST O'Brien")
    core.run("USER.CREATE jose@acme.test NAME \"José García\" NOINVITE")
    #expect(found("CONTACT.SEARCH lukasz") == ["Łukasz Nowak"])
    #expect(found("CONTACT.SEARCH NOW ŁUK") == ["Łukasz Nowak"])
    #expect(found("CONTACT.SEARCH marie") == ["Anne-Marie O'Brien"])
    #expect(found("CONTACT.SEARCH anne-marie brien") == ["Anne-Marie O'Brien"])
    core.run("CONTACT.CREATE FIRST Peter LAST St.John EMAIL p@st.example")
    #expect(found("CONTACT.SEARCH john") == ["Peter St.John"])
    #expect(found("CONTACT.SEARCH example").isEmpty, "an e-mail is found by its beginning")
    #expect(found("CONTACT.SEARCH \"gar jos\"") == ["José García"])
    #expect(found("CONTACT.SEARCH garcía") == ["José García"])
    #expect(found("CONTACT.SEARCH asz") == [])
    #expect(found("CONTACT.SEARCH lukasz garcia") == [])
    #expect(found("USER.SEARCH lukasz") == [])
    #expect(found("USER.SEARCH jose@a") == ["José García"])
    #expect(core.run("USER.SEARCH \" \"").text == "ERR nothing to search for; give the beginning of a name")
  }

  @Test("S3: as people type it, whatever characters a name is written with") func asPeopleTypeIt() {
    for (name, words) in [
      ("Team ①", ["1", "team 1"]), ("Ｊｏｈｎ Henry Ⅳ", ["john", "iv"]), ("İpek Yılmaz", ["ipek", "yilmaz"]),
      ("Sinéad O’Connor", ["o'connor", "oconnor", "o’connor", "connor"]),
      ("Eva Smith/Jones", ["jones", "smith/jones"]),
      ("Bob (Robert) Ray", ["robert", "(robert", "bob"]), ("Jean–Luc Nancy", ["luc", "jean-luc"]),
      ("山田太郎", ["山田", "太郎"]),
      ("김민준", ["김", "민준"]),
    ] as [(String, [String])] {
      core.run(["CONTACT.CREATE", "NAME", name])
      for word in words {
        #expect(core.run(["CONTACT.SEARCH", word]).items.map { $0["name"].text } == [name], "\(word)")
      }
    }
    #expect(core.run(["CONTACT.SEARCH", "'"]).text == "ERR nothing to search for; give the beginning of a name")
  }

  /// Thousands begin alike; a whole username finds its own.
  @Test func longWords() {
    for number in 0..<300 { core.run("USER.CREATE james.smith\(number)@company.test FIRST James NOINVITE") }
    func usernames(_ line: String) -> [String] { core.run(line).items.compactMap { $0["username"].text } }
    #expect(usernames("USER.SEARCH james.smith277@company.test") == ["james.smith277@company.test"])
    #expect(usernames("USER.SEARCH james.smith299") == ["james.smith299@company.test"])
    #expect(usernames("USER.SEARCH james.smith29 LIMIT 100").count == 11)
    #expect(usernames("USER.SEARCH james.smith29 jam LIMIT 5").count == 5)
    core.run("USER.RENAME james.smith277@company.test jim@company.test")
    #expect(usernames("USER.SEARCH james.smith277@company.test") == [])
  }

  @Test func changesAreFoundAtOnce() {
    core.run("USER.CREATE eva FIRST Eva NOINVITE")
    #expect(found("USER.SEARCH eva") == ["Eva"])
    core.run("USER.SET eva first Ida")
    core.run("USER.RENAME eva zoe")
    #expect(found("USER.SEARCH eva") == [])
    #expect(found("USER.SEARCH ida") == ["Ida"])
    #expect(found("USER.SEARCH zo") == ["Ida"])
    core.run("USER.DELETE zoe REASON x")
    #expect(found("USER.SEARCH ida") == [])
    #expect(found("CONTACT.SEARCH ida") == ["Ida"])
    #expect(found("CONTACT.SEARCH zoe") == [])
  }

  @Test func theFirstInTheOrderOfTheTerms() {
    for name in ["Dora", "Dana", "Dina", "Doris", "Don"] { core.run("CONTACT.CREATE FIRST \(name)") }
    #expect(found("CONTACT.SEARCH d LIMIT 3") == ["Dana", "Dina", "Don"])
  }

  @Test("who has exactly the username comes first, then who has exactly the e-mail, whatever a limit cuts off")
  func exactFirst() {
    for number in 0..<60 { core.run("USER.CREATE other\(number) FIRST Ana LAST Ana EMAIL ana@x.test NOINVITE") }
    core.run("USER.CREATE zoe FIRST Zoe EMAIL ana@x.te NOINVITE")
    core.run("USER.CREATE ana FIRST Zed NOINVITE")
    core.run("USER.CREATE ana@x.test FIRST Zach EMAIL zach@x.test NOINVITE")
    func usernames(_ line: String) -> [String] { core.run(line).items.compactMap { $0["username"].text } }
    #expect(usernames("USER.SEARCH ana LIMIT 1") == ["ana"])
    #expect(usernames("USER.SEARCH ANA LIMIT 3").first == "ana")
    #expect(usernames("CONTACT.SEARCH ana LIMIT 2").first == "ana")
    // A username before an e-mail, and both before addresses that only begin so.
    #expect(usernames("USER.SEARCH ana@x.test LIMIT 2").first == "ana@x.test")
    #expect(usernames("USER.SEARCH ana@x.te LIMIT 1") == ["zoe"])
    #expect(usernames("USER.SEARCH ana@x.test LIMIT 100").count == 61)
    let all = usernames("USER.SEARCH ana LIMIT 100")
    #expect(all.count == Set(all).count && all.count == 63)
  }

  @Test("also who got the name later and lives in another partition, and nobody whose login has ended")
  func exactAfterRename() {
    for number in 0..<20 { core.run("USER.CREATE anna\(number) FIRST Bea NOINVITE") }
    func usernames(_ line: String) -> [String] { core.run(line).items.compactMap { $0["username"].text } }
    for number in 0..<20 {
      core.run("USER.RENAME anna\(number) bea")
      #expect(usernames("USER.SEARCH bea LIMIT 1") == ["bea"], "\(number)")
      #expect(usernames("CONTACT.SEARCH bea LIMIT 30").first == "bea", "\(number)")
      #expect(usernames("USER.SEARCH bea LIMIT 30").count == 20)
      core.run("USER.RENAME bea anna\(number)")
    }
    core.run("USER.RENAME anna7 bea")
    core.run("USER.DELETE bea REASON gone")
    #expect(!usernames("USER.SEARCH bea LIMIT 30").contains("bea"))
  }

  @Test("W4: nobody comes first whom the caller does not see")
  func exactOfOthers() {
    for workspace in ["acme", "bolt"] {
      core.run("WORKSPACE.CREATE \(workspace)")
      core.run("PRODUCT.CREATE \(workspace)/crm")
    }
    core.run("USER.CREATE boss PRODUCT bolt/crm NOINVITE")
    core.run("ROLE.GRANT boss super-administrator WORKSPACE bolt")
    let token = core.logIn("boss", "bolt/crm")
    core.run("USER.CREATE ida WORKSPACE acme NOINVITE")
    core.run("USER.CREATE ida.b WORKSPACE bolt NOINVITE")
    #expect(core.run("USER.SEARCH ida", as: token).items.map { $0["username"].text } == ["ida.b"])
    #expect(core.run("USER.SEARCH ida WORKSPACE bolt").items.map { $0["username"].text } == ["ida.b"])
  }

  /// An option that another list has would find nobody as a word, and say nothing.
  @Test func anUnknownOptionIsRefused() {
    core.run("USER.CREATE prod FIRST Ana LAST PRODUCTION NOINVITE")
    for (line, option) in [
      ("CONTACT.SEARCH ana PRODUCT payroll", "PRODUCT"), ("USER.SEARCH ana WHERE status = active", "WHERE"),
      ("USER.SEARCH SORT ana", "SORT"), ("CONTACT.SEARCH ana DRYRUN", "DRYRUN"),
    ] {
      let command = line.prefix { $0 != " " }.lowercased()
      #expect(
        core.run(line).text?.hasPrefix(
          "ERR unknown option '\(option)' for '\(command)'; to search for the word, write it in lower case; usage: ")
          == true, "\(line)")
    }
    // In lower case it is a word, and other words in capitals are names.
    #expect(core.run("CONTACT.SEARCH ANA product")[0]["username"].text == "prod")
    #expect(core.run("CONTACT.SEARCH PRODUCTION LIMIT 5")[0]["username"].text == "prod")
  }

  @Test("W4: neither the order nor what a limit cuts off depends on people whom the caller does not see")
  func othersAreNoMatter() throws {
    for workspace in ["acme", "bolt"] {
      core.run("WORKSPACE.CREATE \(workspace)")
      core.run("PRODUCT.CREATE \(workspace)/crm")
    }
    core.run("USER.CREATE boss PRODUCT bolt/crm NOINVITE")
    core.run("ROLE.GRANT boss super-administrator WORKSPACE bolt")
    let token = core.logIn("boss", "bolt/crm")
    core.run("USER.CREATE a1 FIRST Qxa LAST Qyz WORKSPACE bolt NOINVITE")
    core.run("USER.CREATE a2 FIRST Qxb LAST Qyy WORKSPACE bolt NOINVITE")
    func found() -> [[String?]] {
      ["USER.SEARCH qx qy", "USER.SEARCH qx qy LIMIT 1", "CONTACT.SEARCH qy qx", "CONTACT.SEARCH qy qx LIMIT 1"].map {
        core.run($0, as: token).items.map { $0["username"].text }
      }
    }
    let before = [["a1", "a2"], ["a1"], ["a2", "a1"], ["a2"]]
    #expect(found() == before)
    // More of either word than it takes to look at the other.
    for number in 0..<40 { core.run("USER.CREATE h\(number) FIRST Qxhid\(number) WORKSPACE acme NOINVITE") }
    #expect(found() == before)
    for number in 0..<400 { core.run("USER.CREATE g\(number) FIRST Qyhid\(number) WORKSPACE acme NOINVITE") }
    #expect(found() == before)
  }

  @Test func productsAndWorkspacesKeepTheirOwn() {
    core.run("PRODUCT.CREATE crm")
    core.run("WORKSPACE.CREATE acme")
    core.run("USER.CREATE eva1 NAME \"Eva One\" PRODUCT crm NOINVITE")
    core.run("USER.CREATE eva2 NAME \"Eva Two\" WORKSPACE acme NOINVITE")
    #expect(found("USER.SEARCH eva PRODUCT crm") == ["Eva One"])
    #expect(found("USER.SEARCH eva WORKSPACE acme") == ["Eva Two"])
  }

  /// The index is a hint; what it finds must be what a look at everybody finds.
  @Test(arguments: 1...4) func itFindsWhatALookAtEverybodyFinds(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    let syllables = ["an", "na", "ma", "lé", "ri", "so", "Łu", "ø", "be", "-jo", "ß"]
    func word() -> String {
      (0..<Int.random(in: 1...4, using: &random)).map { _ in syllables.randomElement(using: &random) ?? "" }.joined()
    }
    var names: [Int: [String]] = [:]
    for step in 0..<400 {
      if step % 3 == 2, let id = names.keys.sorted().randomElement(using: &random) {
        names[id] = [word(), names[id]?[1] ?? ""]
        core.run(["CONTACT.SET", "#\(id)", "first", names[id]?[0] ?? ""])
      } else {
        let name = [word(), word()]
        let made = core.run(["CONTACT.CREATE", "FIRST", name[0], "LAST", name[1]])
        names[Int(made["contact"].integer ?? 0)] = name
      }
      guard step % 8 == 0 else { continue }
      let wanted = (0..<Int.random(in: 1...2, using: &random)).map { _ in String(word().prefix(3)) }
      let answer = core.run(["CONTACT.SEARCH"] + wanted + ["LIMIT", "10000"])
      let expected = names.filter { _, parts in wanted.allSatisfy { word in begins(parts, word) } }.keys.sorted()
      #expect(answer.items.compactMap { $0["contact"].integer.map(Int.init) }.sorted() == expected, "\(wanted)")
    }
  }

  /// W4: a service of a workspace finds its people, the first of them first, however many others have the same names.
  @Test func aServiceOfAWorkspaceFindsItsOwn() {
    core.run("WORKSPACE.CREATE acme")
    for number in 0..<300 { core.run("USER.CREATE other\(number) FIRST Eva LAST Lind\(number) NOINVITE") }
    for name in ["Lindner", "Lind", "Linde"] {
      core.run("USER.CREATE \(name) FIRST Eva LAST \(name) WORKSPACE acme NOINVITE")
    }
    core.run("CONTACT.CREATE FIRST Eva LAST Lindt WORKSPACE acme")
    core.run("SERVICE.CREATE all ADMIN")
    let service = core.run("SERVICE.CREATE web ADMIN WORKSPACE acme")["id"].integer ?? 0
    core.connection = ConnectionFacts(id: 2, service: ServiceID(service), rights: .all, isBound: true)
    #expect(found("USER.SEARCH lin eva") == ["Eva Lind", "Eva Linde", "Eva Lindner"])
    #expect(found("USER.SEARCH e LIMIT 10") == found("USER.SEARCH eva"))
    #expect(found("CONTACT.SEARCH lin LIMIT 2") == ["Eva Lind", "Eva Linde"])
    #expect(found("CONTACT.SEARCH lindt") == ["Eva Lindt"])
    #expect(found("USER.SEARCH other") == [])
  }

  /// Said another way than in the core: with the library's own decomposition.
  private func begins(_ parts: [String], _ word: String) -> Bool {
    let word = plain(word)
    return parts.contains { part in
      let whole = plain(part)
      return whole.hasPrefix(word)
        || whole.indices.contains { whole[$0] == "-" && whole[whole.index(after: $0)...].hasPrefix(word) }
    }
  }

  private func plain(_ text: String) -> String {
    var plain = ""
    for scalar in text.lowercased().unicodeScalars {
      switch scalar {
      case "é": plain += "e"
      case "ł": plain += "l"
      case "ø": plain += "o"
      case "ß": plain += "ss"
      default: plain.unicodeScalars.append(scalar)
      }
    }
    return plain
  }
}
