import Foundation

/// Finds the server program under test.
package enum GatehouseProgram {
  /// The path in `GATEHOUSE_PROGRAM`, else the program built next to this test bundle, else the one in the package's
  /// build folder.
  package static func path() throws -> String {
    let environment = ProcessInfo.processInfo.environment
    if let named = environment["GATEHOUSE_PROGRAM"], !named.isEmpty {
      guard FileManager.default.isExecutableFile(atPath: named) else {
        throw TestFailure("GATEHOUSE_PROGRAM names \(named), which is not an executable file")
      }
      return named
    }
    return try built("gatehouse")
  }

  /// The path of the operators' program, which stands beside it.
  package static func control() throws -> String { try built("gatehousectl") }

  private static func built(_ program: String) throws -> String {
    let candidates = besideTestBundle(program) + inBuildFolder(program)
    guard let found = candidates.first(where: FileManager.default.isExecutableFile(atPath:)) else {
      throw TestFailure(
        "no program \(program): build it (swift build --product \(program)) or, for the server, set GATEHOUSE_PROGRAM; looked at "
          + candidates.joined(separator: ", "))
    }
    return found
  }

  private static func besideTestBundle(_ program: String) -> [String] {
    var names: [String] = []
    if let runner = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") {
      names.append(runner)
    }
    names.append(contentsOf: CommandLine.arguments.filter { $0.hasSuffix(".xctest") })
    return names.map { URL(fileURLWithPath: $0).deletingLastPathComponent().appendingPathComponent(program).path }
  }

  private static func inBuildFolder(_ program: String) -> [String] {
    let root = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    return ["debug", "release"].map { root.appendingPathComponent(".build/\($0)/\(program)").path }
  }
}
