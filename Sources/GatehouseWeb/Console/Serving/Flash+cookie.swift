import FoundationEssentials
import NIOCore

extension Flash {
  /// As a cookie. It is for one page and for the person themselves, so that what it says is shown escaped and trusted no
  /// further.
  var cookie: String {
    let members: [JSON.Member] = [
      ("tone", .string(tone.rawValue)), ("text", .string(String(text.prefix(600)))),
      ("undo", undo.map { .integer($0) } ?? .null),
      ("commands", .array(commands.prefix(4).map { .string(String($0.prefix(400))) })),
    ]
    return Data(JSON.object(members).text.utf8).base64EncodedString()
      .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
  }

  init?(cookie: String) {
    var text = cookie.replacing("-", with: "+").replacing("_", with: "/")
    text += String(repeating: "=", count: (4 - text.count % 4) % 4)
    guard let data = Data(base64Encoded: text), let json = try? JSON(parsing: ByteBuffer(bytes: data)),
      let words = json["text"]?.string, let tone = json["tone"]?.string.flatMap(Cell.Tone.init)
    else { return nil }
    self.init(words, tone: tone, undo: json["undo"]?.integer)
    commands = json["commands"]?.array?.compactMap(\.string) ?? []
  }
}
