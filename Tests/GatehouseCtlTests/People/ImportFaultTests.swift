import Foundation
import GatehouseTestSupport
import Testing

@Suite("gatehousectl import: what is wrong with a file", .blocking)
struct ImportFaultTests {
  @Test("P5: a report never replaces a file, neither the one that is imported nor an earlier report")
  func reportIsNew() throws {
    let world = try PeopleServer()
    let source = "username,email\nbo,nobody\n"
    let path = world.folder.path("bad.csv")
    for report in [path, world.folder.path("earlier.csv")] {
      try JSONRows.write(Array("kept".utf8), to: world.folder.path("earlier.csv"))
      let result = try world.load(source, "--report", report, name: "bad.csv")
      #expect(result.code == 73 && result.errors.contains("cannot make \(report): File exists"), "\(result.errors)")
      #expect(readText(path) == source && readText(world.folder.path("earlier.csv")) == "kept")
    }
    let new = world.folder.path("new.csv")
    #expect(try world.load(source, "--report", new, name: "bad.csv").code == 1)
    #expect(readText(new).hasPrefix("line,column,username,reason\r\n2,email,bo,"))
  }

  @Test("P5: where the import cannot begin, no report is left behind") func noReportOfNothing() throws {
    let world = try PeopleServer()
    let report = world.folder.path("report.csv")
    let result = try world.load("username\nbo\n", "--report", report, "--workspace", "nowhere")
    #expect(result.code == 1 && !FileManager.default.fileExists(atPath: report), "\(result.output)\(result.errors)")
  }

  @Test("P5: a pipe is not read twice") func pipe() throws {
    let world = try PeopleServer()
    let path = world.folder.path("pipe.csv")
    try #require(mkfifo(path, 0o600) == 0)
    let result = try world.run("import", path)
    #expect(result.code == 64, "\(result.errors)")
    #expect(result.errors.contains("a pipe can be read only once: say --keep-going, or name a file"))
  }

  @Test("L22: a plain number is not a day, as a spreadsheet writes one") func days() throws {
    let world = try PeopleServer()
    let result = try world.load("username,hired\nbo,46082\nana,2026-03-01\ncy,1.3.2026\n", "--keep-going")
    #expect(
      PeopleServer.lines(result) == [
        "line 2, column hired: '46082' is not a day, such as 2026-03-01; format the column as that",
        "line 4, column hired: '1.3.2026' is not a day, such as 2026-03-01; format the column as that",
        "3 rows: 1 user created, 2 rows refused",
      ])
    #expect(try world.person("ana")["hired"] == "2026-03-01")
  }

  @Test("P5: a flag is yes or no") func flags() throws {
    let world = try PeopleServer()
    let result = try world.load("username,authority\nbo,maybe\nana,yes\ncy,no\n", "--keep-going")
    #expect(PeopleServer.lines(result).first == "line 2, column authority: 'maybe' is not 1 or 0")
    #expect(try world.person("ana")["authority"] == "1" && world.person("cy")["authority"] == "0")
  }

  @Test("P5: a missing column is named once, a name given twice in a JSON object is refused") func names() throws {
    let world = try PeopleServer()
    let header = try world.load("first,last\nAna,Silva\nBo,Lind\n")
    #expect(header.code == 1, "\(header.output)")
    #expect(header.errors.contains("there is no column 'username'; columns are"), "\(header.errors)")
    #expect(header.output.isEmpty)
    let object = try world.load(
      #"""
      {"username": "a:b\" :", "first": "x", "first": "y"}
      {"username": "c:d\\", "first": "\":"}

      """#,
      "--dry-run", name: "people.jsonl")
    #expect(
      PeopleServer.lines(object) == [
        "line 1: a name is given twice", "2 rows: 1 user to create, 1 row refused; nothing was written",
      ], "\(object.output)")
  }
}
