import ArgumentParser
import GatehouseCommandLine
import GatehouseWire

/// Which server a command asks.
struct ServerOptions: ParsableArguments {
  @Option(help: "the server to ask, or GATEHOUSE_HOST (default: 127.0.0.1)")
  var host: String?

  @Option(help: "its TCP port, or GATEHOUSE_PORT (default: \(ServerAddress.defaultPort))")
  var port: Int?

  @OptionGroup(title: "TLS") var tls: TLSOptions

  func validate() throws {
    if let port, !(1...65535).contains(port) { throw ValidationError("--port \(port) is not a TCP port") }
  }

  func connect(_ count: Int = 1) throws -> [BlockingClient] {
    let address = try ServerAddress.find(host: host, port: port, tls: tls)
    return try (0..<count).map { _ in try address.connect() }
  }
}

/// How a file of people is written.
struct TableOptions: ParsableArguments {
  @Option(help: ArgumentHelp("csv or jsonl (default: by the file's name, else csv)", valueName: "format"))
  var format: PersonRows.Format?

  @Option(help: ArgumentHelp("between cells of CSV: a character, or tab", valueName: "character"))
  var delimiter: Delimiter?

  func format(of path: String) -> PersonRows.Format {
    if let format { return format }
    return [".jsonl", ".ndjson"].contains { path.lowercased().hasSuffix($0) } ? .jsonl : .csv
  }
}

extension PersonRows.Format: ExpressibleByArgument {}

/// One ASCII character that is neither a quote nor a line end.
struct Delimiter: ExpressibleByArgument {
  let byte: UInt8

  init?(argument: String) {
    let text = argument == "tab" || argument == "\\t" ? "\t" : argument
    guard text.utf8.count == 1, let byte = text.utf8.first, byte < 0x80, ![0, 0x0a, 0x0d, 0x22].contains(byte) else {
      return nil
    }
    self.byte = byte
  }
}
