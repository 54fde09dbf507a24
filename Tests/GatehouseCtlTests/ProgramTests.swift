import Foundation
import GatehouseTestSupport
import Testing

@Suite("gatehousectl: the program", .blocking)
struct ProgramTests {
  @Test(
    "help starts with examples and lists the exit codes",
    arguments: ["verify", "compact", "backup", "restore", "inspect", "service create"])
  func help(_ subcommand: String) throws {
    let words = subcommand.split(separator: " ").map(String.init) + ["--help"]
    let help = try runProgram(try GatehouseProgram.path() + "ctl", words)
    #expect(help.code == 0 && help.errors.isEmpty)
    let examples = try #require(help.output.range(of: "EXAMPLES:"))
    let usage = try #require(help.output.range(of: "USAGE:"))
    #expect(examples.lowerBound < usage.lowerBound)
    #expect(help.output.contains("EXIT CODES:"))
  }

  @Test("the version is the server's")
  func version() throws {
    let own = try control("--version").output.split(separator: " ").last
    let server = try runProgram(try GatehouseProgram.path(), ["--version"]).output.split(separator: " ").last
    #expect(own == server && own != nil)
  }

  @Test(
    "an invalid command line", arguments: [["unknown"], ["verify"], ["inspect", "--since", "noon", "x"]])
  func usage(_ words: [String]) throws {
    let result = try runProgram(try GatehouseProgram.path() + "ctl", words)
    #expect(result.code == 64 && result.output.isEmpty && !result.errors.isEmpty)
  }
}
