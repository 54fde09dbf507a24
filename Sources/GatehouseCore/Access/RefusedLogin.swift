/// A refused login (B8): the result of a check, or a failed attempt to open a session.
///
/// Kept in memory only, in reused slots, so that a flood of wrong names causes no allocations and no writes. Typed
/// words are shortened to fit a slot.
public struct RefusedLogin: Sendable, BitwiseCopyable {
  public internal(set) var time: Milliseconds = 0
  /// `none` if no user has the name, or none that the caller knows.
  public internal(set) var user = UserID.none
  /// 0 if there is no product of that name.
  public internal(set) var product: ProductID = 0
  /// The workspace that may read it: the product's, or, where no product is named, the user's home; 0 for none.
  var workspace: WorkspaceID = 0
  /// The service that asked; 0 is `local`.
  var service: ServiceID = 0
  public internal(set) var denial = LoginDenial.unknownUser
  /// The table index of the refused command.
  var command: UInt16 = 0
  /// As typed; empty if the command names a session, and `(redacted)` where it may be a secret.
  var username = TypedWord()
  /// The hash of the whole name, of which only the beginning is kept; 0 if the command names a session.
  var nameHash: UInt32 = 0
  var productName = TypedWord()

  public init() {}

  /// Drops what was typed of somebody who was forgotten since. That somebody was refused stays.
  public mutating func forget() {
    username = TypedWord()
    nameHash = 0
  }

  public init(time: Milliseconds, user: UserID, product: ProductID, denial: LoginDenial) {
    self.time = time
    self.user = user
    self.product = product
    self.denial = denial
  }
}

/// The beginning of a word of a request.
struct TypedWord: Sendable, BitwiseCopyable {
  private static let most = 48

  private var bytes = InlineArray<48, UInt8>(repeating: 0)
  private var count: UInt8 = 0

  static let redacted: TypedWord = {
    var text = "(redacted)"
    return text.withUTF8 { TypedWord(UnsafeRawBufferPointer($0)) }
  }()

  init() {}

  /// - Parameter word: replaced by `(redacted)` if it looks like a token or a service's secret.
  init(_ word: UnsafeRawBufferPointer) {
    if SecretText.isLike(word) {
      self = Self.redacted
      return
    }
    var count = min(word.count, Self.most)
    // Do not cut in the middle of a character.
    if count < word.count { while count > 0, word[count] & 0xc0 == 0x80 { count -= 1 } }
    var span = bytes.mutableSpan
    span.withUnsafeMutableBytes { $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: word[..<count])) }
    self.count = UInt8(count)
  }

  /// The text as people read it: whoever was refused may have typed anything. nil if there is none.
  var shown: String? {
    text.map { text in
      text.unicodeScalars.contains(where: ShownText.isUnprintable) ? ShownText.line(text) : text
    }
  }

  /// The text; nil if there is none.
  var text: String? {
    if count == 0 { return nil }
    return bytes.span.withUnsafeBytes { String(decoding: $0[..<Int(count)], as: UTF8.self) }
  }
}

/// Stores refused logins.
public protocol RefusalKeeper: AnyObject, Sendable {
  func keep(_ refusal: RefusedLogin)
}

extension Turn {
  /// Notes that the command refuses a login.
  ///
  /// - Parameters:
  ///   - username, productName: the indexes of the words that name the user and the product, if the command has them.
  ///   - workspace: the session's, if a session without a product is refused.
  ///   - mayBePassword: whether a word that names nothing may be a password in the wrong place; then it is not kept.
  func note(
    _ denial: LoginDenial, of user: UserReference?, to product: ProductID?, username: Int? = nil,
    productName: Int? = nil, in workspace: WorkspaceID? = nil, mayBePassword: Bool = false
  ) {
    func typed(_ index: Int?, isKnown: Bool) -> TypedWord {
      guard let index else { return TypedWord() }
      return mayBePassword && !isKnown ? .redacted : TypedWord(word(index))
    }
    refusal.time = now
    refusal.user = user?.id ?? .none
    refusal.product = product ?? 0
    refusal.workspace =
      if let product {
        directory.facts(ofProduct: product).workspace
      } else if productName != nil {
        // Nobody's: the name may be meant for a product of another workspace (W4).
        0
      } else {
        workspace ?? user?.home ?? 0
      }
    refusal.service = connection.service ?? 0
    refusal.denial = denial
    refusal.command = UInt16(commandIndex)
    refusal.username = typed(username, isKnown: user != nil)
    refusal.nameHash = username.map { nameKey($0).hash } ?? 0
    refusal.productName = typed(productName, isKnown: product != nil)
    hasRefusal = true
  }

  /// Stores the refusal that was noted.
  func keepRefusal() {
    hasRefusal = false
    refusals.keep(refusal)
  }
}

/// Reads the stored refused logins, newest first.
public struct ReadRefusals: Work {
  public typealias Outcome = Result<[RefusedLogin], Refusal>

  /// Only those at or after this time.
  public let since: Milliseconds

  public init(since: Milliseconds) { self.since = since }
}
