import Foundation
import GatehouseTestSupport

/// Runs `gatehousectl`, which is next to the server program.
func control(_ arguments: String..., environment: [String: String?] = [:]) throws -> ProgramResult {
  let path = try GatehouseProgram.path() + "ctl"
  guard FileManager.default.isExecutableFile(atPath: path) else {
    throw TestFailure("no \(path): build it with swift build --product gatehousectl")
  }
  return try runProgram(path, arguments, environment: environment, limit: .seconds(120))
}

extension ProgramResult {
  var code: Int32? {
    if case .exited(let code) = end { code } else { nil }
  }

  /// The output as a JSON object.
  func object() throws -> [String: Any] {
    guard let object = try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any] else {
      throw TestFailure("no object: \(output)\(errors)")
    }
    return object
  }

  /// The output as JSON objects, one a line.
  func objects() throws -> [[String: Any]] {
    try output.split(separator: "\n").map { line in
      guard let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else {
        throw TestFailure("no object: \(line)")
      }
      return object
    }
  }
}

/// The result of `verify --json`.
struct VerifyResult {
  let code: Int32?
  let isSound: Bool
  let problems: [[String: Any]]
  let object: [String: Any]

  init(_ folder: String, _ arguments: String..., environment: [String: String?] = [:]) throws {
    let words = ["verify", "--json", "--quiet", folder] + arguments
    let result = try runProgram(
      try GatehouseProgram.path() + "ctl", words, environment: environment, limit: .seconds(120))
    guard !result.output.isEmpty else { throw TestFailure("verify said nothing: \(result.errors)") }
    code = result.code
    object = try result.object()
    isSound = object["ok"] as? Bool ?? false
    problems = object["problems"] as? [[String: Any]] ?? []
  }

  func integer(_ name: String) -> Int { object[name] as? Int ?? -1 }
  func state(_ name: String) -> Int { (object["state"] as? [String: Any])?[name] as? Int ?? -1 }

  /// The files with problems.
  var files: Set<String> { Set(problems.compactMap { $0["file"] as? String }) }
}

/// Changes a byte of a file.
func flip(byte offset: UInt64, of path: String) throws {
  let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
  defer { try? file.close() }
  try file.seek(toOffset: offset)
  guard let byte = try file.read(upToCount: 1)?.first else { throw TestFailure("\(path) has no byte \(offset)") }
  try file.seek(toOffset: offset)
  try file.write(contentsOf: Data([byte ^ 0x10]))
}

/// Copies a folder with its files.
func copy(_ path: String, to target: String) throws { try FileManager.default.copyItem(atPath: path, toPath: target) }

/// The names in a folder, in order.
func names(in path: String) throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }

/// The content of every file of a folder, by its path in the folder.
func contents(of path: String) throws -> [String: Data] {
  var contents: [String: Data] = [:]
  for name in try FileManager.default.subpathsOfDirectory(atPath: path) {
    if let data = FileManager.default.contents(atPath: "\(path)/\(name)") { contents[name] = data }
  }
  return contents
}
