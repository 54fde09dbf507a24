/// Encodes requests as arrays of bulk strings, which may contain any byte.
public enum RequestEncoder {
  public static func encode(_ words: [String]) -> [UInt8] {
    var bytes: [UInt8] = []
    append(words, to: &bytes)
    return bytes
  }

  public static func append(_ words: [String], to bytes: inout [UInt8]) {
    append(words.lazy.map(\.utf8), to: &bytes)
  }

  public static func append(_ words: some Collection<some Collection<UInt8>>, to bytes: inout [UInt8]) {
    header(Byte.asterisk, words.count, to: &bytes)
    for word in words {
      header(Byte.dollar, word.count, to: &bytes)
      bytes.append(contentsOf: word)
      bytes.append(Byte.carriageReturn)
      bytes.append(Byte.lineFeed)
    }
  }

  private static func header(_ sign: UInt8, _ number: Int, to bytes: inout [UInt8]) {
    bytes.append(sign)
    bytes.append(contentsOf: String(number).utf8)
    bytes.append(Byte.carriageReturn)
    bytes.append(Byte.lineFeed)
  }
}
