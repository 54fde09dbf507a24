import Foundation
import GatehouseTestSupport

/// A server, and the files that people are read from and written to.
final class PeopleServer {
  let server: TestServer
  let gate: Client
  let folder: TemporaryFolder
  var credentials: String?

  init(_ options: TestServer.Options = .init()) throws {
    server = try TestServer(options)
    gate = try server.client()
    folder = try TemporaryFolder("people")
  }

  /// Runs `gatehousectl` with the server's port.
  func run(_ arguments: String...) throws -> ProgramResult { try run(arguments) }

  func run(_ arguments: [String]) throws -> ProgramResult {
    let path = try GatehouseProgram.path() + "ctl"
    return try runProgram(
      path, arguments + ["--port", String(server.port)], environment: ["GATEHOUSE_AUTH": credentials],
      limit: .seconds(120))
  }

  /// Imports a text, written to a file first.
  func load(_ text: String, _ arguments: String..., name: String = "people.csv") throws -> ProgramResult {
    try load(bytes: Array(text.utf8), arguments, name: name)
  }

  func load(bytes: [UInt8], _ arguments: [String], name: String = "people.csv") throws -> ProgramResult {
    let path = folder.path(name)
    try JSONRows.write(bytes, to: path)
    return try run(["import", path] + arguments)
  }

  /// The lines of a result.
  static func lines(_ result: ProgramResult) -> [String] { result.output.split(separator: "\n").map(String.init) }

  /// All that is known of a user, without what is a matter of when and where it was created.
  func person(_ user: String) throws -> [String: String] {
    let fields = try gate.fields("USER.GET", user)
    let local = ["id", "contact", "created", "version", "last-change"]
    return Dictionary(
      uniqueKeysWithValues: fields.names.filter { !local.contains($0) }.map { name in
        (name, fields.value(name)?.scalarText ?? fields.shown(name))
      })
  }
}
