/// One argument of a command.
public struct Argument: Sendable {
  /// The types of `COMMAND DOCS`.
  public enum Kind: String, Sendable {
    case string, integer, double, key, pattern
    case time = "unix-time"
    case flag = "pure-token"
    case choice = "oneof"
    case block
  }

  public let name: String
  public let kind: Kind
  /// The keyword of an option; nil for a positional argument.
  public let token: String?
  public let isOptional: Bool
  public let repeats: Bool
  /// Takes all remaining words.
  public let isVariadic: Bool
  /// The names of an option's values, or of the words of one repetition, if there are several.
  public let parts: [String]
  /// The allowed words of a choice.
  public let choices: [String]
  /// The option's first value is the number of values that follow.
  public let isCounted: Bool
  /// Whether its values are secret.
  let secrecy: Secrecy

  enum Secrecy: Equatable {
    case open
    case secret
    /// … if one of these words is in the command: the names of secret columns of rows.
    case secretBeside(Set<String>)
  }

  private init(
    _ name: String, _ kind: Kind, token: String? = nil, isOptional: Bool = false, repeats: Bool = false,
    isVariadic: Bool = false, parts: [String] = [], choices: [String] = [], isCounted: Bool = false,
    secrecy: Secrecy = .open
  ) {
    self.name = name
    self.kind = kind
    self.token = token
    self.isOptional = isOptional
    self.repeats = repeats
    self.isVariadic = isVariadic
    self.parts = parts
    self.choices = choices
    self.isCounted = isCounted
    self.secrecy = secrecy
  }

  /// A required word.
  public static func word(_ name: String, _ kind: Kind = .string) -> Argument { Argument(name, kind) }

  /// An optional word, after all required ones.
  public static func optionalWord(_ name: String, _ kind: Kind = .string) -> Argument {
    Argument(name, kind, isOptional: true)
  }

  /// One word or more, up to the end; options may stand before and between them.
  public static func words(_ name: String, isOptional: Bool = false) -> Argument {
    Argument(name, .string, isOptional: isOptional, repeats: true, isVariadic: true)
  }

  /// Pairs of a name and a value, up to the end. Options may stand before and between pairs, but not inside: a value may
  /// be any text, also one that is spelled like an option.
  public static func pairs(_ name: String, _ value: String) -> Argument {
    Argument("\(name) \(value)", .block, isOptional: true, repeats: true, isVariadic: true, parts: [name, value])
  }

  /// `TOKEN value`.
  public static func option(
    _ token: String, _ name: String, _ kind: Kind = .string, repeats: Bool = false
  ) -> Argument {
    Argument(name, kind, token: token, isOptional: true, repeats: repeats)
  }

  /// `TOKEN value`, of which the value is secret.
  static func secretOption(_ token: String, _ name: String) -> Argument {
    Argument(name, .string, token: token, isOptional: true, secrecy: .secret)
  }

  /// A mandatory `TOKEN value`.
  public static func mandatory(_ token: String, _ name: String, _ kind: Kind = .string) -> Argument {
    Argument(name, kind, token: token)
  }

  /// `TOKEN a b …`.
  public static func option(_ token: String, parts: [String], repeats: Bool = false) -> Argument {
    Argument(token.lowercased(), .block, token: token, isOptional: true, repeats: repeats, parts: parts)
  }

  /// `TOKEN n x1 … xn`.
  ///
  /// - Parameter names: words beside which the values are secret.
  public static func counted(
    _ token: String, _ name: String, isOptional: Bool = true, secretBeside names: Set<String> = []
  ) -> Argument {
    Argument(
      name, .string, token: token, isOptional: isOptional, isCounted: true,
      secrecy: names.isEmpty ? .open : .secretBeside(names))
  }

  /// An option without a value.
  public static func flag(_ token: String) -> Argument {
    Argument(token.lowercased(), .flag, token: token, isOptional: true)
  }

  /// The options of every write.
  public static let everyWrite: [Argument] = [
    .option("REASON", "text"), .option("IDEM", "key"), .option("IFVERSION", "version", .integer),
    .flag("DRYRUN"),
  ]

  /// The number of words after the keyword; for counted options, the count is one of the words.
  public var valueCount: Int {
    if kind == .flag { return 0 }
    return parts.isEmpty ? 1 : parts.count
  }

  public var usage: String {
    guard let token else {
      let shown = isVariadic ? "\(name)…" : name
      return isOptional ? "[\(shown)]" : shown
    }
    var shown = token
    if isCounted {
      shown += " n \(name)…"
    } else if kind != .flag {
      shown += " " + (parts.isEmpty ? name : parts.joined(separator: " "))
    }
    return isOptional ? "[\(shown)]" + (repeats ? "…" : "") : shown
  }
}
