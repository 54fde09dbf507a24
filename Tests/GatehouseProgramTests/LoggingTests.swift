import Foundation
import GatehouseServer
import GatehouseTestSupport
import Logging
import Synchronization
import Testing

@testable import gatehouse

@Suite(.blocking) struct LoggingTests {
  private final class Lines: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock(\.self) }
    func add(_ line: String) { lines.withLock { $0.append(line) } }
  }

  private func output(_ format: ServerConfiguration.LogFormat, _ lines: Lines) -> LogOutput {
    LogOutput(format: format, level: .info) { lines.add($0) }
  }

  @Test func `a JSON line is an object with every byte of the texts`() throws {
    let lines = Lines()
    var logger = output(.json, lines).logger(label: "test")
    logger[metadataKey: "a"] = "\u{1}\"\\\n"
    logger.warning("two\nlines", metadata: ["level": "mine", "b": "é"])
    let line = try #require(lines.all.first)
    #expect(line.hasSuffix("}\n") && line.filter { $0 == "\n" }.count == 1)
    let object = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String])
    #expect(object["message"] == "two\nlines")
    #expect(object["level"] == "warning")
    #expect(object["_level"] == "mine")
    #expect(object["a"] == "\u{1}\"\\\n")
    #expect(object["b"] == "é")
  }

  @Test func `a text line stays one line, whatever its texts`() throws {
    let lines = Lines()
    output(.text, lines).logger(label: "test").info("x\ny", metadata: ["k": "v\r\nfaked", "n": "1"])
    let line = try #require(lines.all.first)
    #expect(line.hasSuffix(#" info test: x\ny k="v\r\nfaked" n=1"# + "\n"))
  }

  @Test(arguments: [ServerConfiguration.LogFormat.text, .json])
  func `no text can end a line, redraw a terminal or reverse its direction`(format: ServerConfiguration.LogFormat)
    throws
  {
    let text = "a\u{b}b\u{1b}[2J\u{7f}\u{85}\u{9b}1A\u{2028}\u{2029}\u{202e}\u{2066}\u{200b}\u{3164}\u{e0041} \\u{202e}"
    let lines = Lines()
    let output = output(format, lines)
    output.logger(label: "l\(text)").error("m\(text)", metadata: ["k\(text)": "\(text)", "word": "\u{202e}w"])
    let line = try #require(lines.all.first)
    let stray = line.dropLast().unicodeScalars.filter {
      [.control, .format, .lineSeparator, .paragraphSeparator].contains($0.properties.generalCategory)
    }
    #expect(stray.isEmpty, "\(stray.map(\.value))")
    #expect(!line.unicodeScalars.contains("\u{3164}"))
    guard format == .json else { return }
    let object = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String])
    #expect(object["message"] == "m\(text)" && object["k\(text)"] == text && object["word"] == "\u{202e}w")
  }

  @Test func `a changed level applies to existing loggers`() {
    let lines = Lines()
    let output = output(.text, lines)
    let early = output.logger(label: "early")
    early.debug("not seen")
    var late = output.logger(label: "late")
    late.logLevel = .debug
    early.debug("seen")
    #expect(lines.all.count == 1)
  }

  @Test func `times are RFC 3339`() {
    #expect(Timestamp.text(seconds: 0, milliseconds: 7) == "1970-01-01T00:00:00.007Z")
    #expect(Timestamp.text(seconds: 1_772_352_000, milliseconds: 120) == "2026-03-01T08:00:00.120Z")
  }
}
