/// A login that was refused (B8): what a check came to, or the attempt to open a session.
///
/// It is kept in memory only, in slots that are used again: whoever storms the server with wrong names has it neither
/// allocate nor write. What people typed is shortened to fit its slot.
public struct RefusedLogin: Sendable, BitwiseCopyable {
  public internal(set) var time: Milliseconds = 0
  /// `none` where nobody has the name, or nobody whom the caller knows of.
  public internal(set) var user = UserID.none
  /// 0 where there is none of the name.
  public internal(set) var product: ProductID = 0
  /// Whose business it is: the product's workspace, else the user's home; 0 where that is no workspace's.
  var workspace: WorkspaceID = 0
  /// The service that asked; 0 is `local`.
  var service: ServiceID = 0
  public internal(set) var denial = LoginDenial.unknownUser
  /// The place in the table of the command that was refused.
  var command: UInt16 = 0
  /// As they were typed; empty where the command names a session.
  var username = TypedWord()
  var productName = TypedWord()

  public init() {}

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

  init() {}

  init(_ word: UnsafeRawBufferPointer) {
    var count = min(word.count, Self.most)
    // Not in the middle of a character.
    if count < word.count { while count > 0, word[count] & 0xc0 == 0x80 { count -= 1 } }
    var span = bytes.mutableSpan
    span.withUnsafeMutableBytes { $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: word[..<count])) }
    self.count = UInt8(count)
  }

  /// The text; nil where there is none.
  var text: String? {
    if count == 0 { return nil }
    return bytes.span.withUnsafeBytes { String(decoding: $0[..<Int(count)], as: UTF8.self) }
  }
}

/// Where refused logins are kept.
public protocol RefusalKeeper: AnyObject, Sendable {
  func keep(_ refusal: RefusedLogin)
}

extension Turn {
  /// Notes that the command refuses a login.
  ///
  /// - Parameters:
  ///   - username, productName: the words that name the user and the product, where the command has them.
  ///   - workspace: the session's, where one is refused that is of no product.
  func note(
    _ denial: LoginDenial, of user: UserReference?, to product: ProductID?, username: Int? = nil,
    productName: Int? = nil, in workspace: WorkspaceID? = nil
  ) {
    refusal.time = now
    refusal.user = user?.id ?? .none
    refusal.product = product ?? 0
    refusal.workspace = product.map { directory.facts(ofProduct: $0).workspace } ?? workspace ?? user?.home ?? 0
    refusal.service = connection.service ?? 0
    refusal.denial = denial
    refusal.command = UInt16(specPlace)
    refusal.username = username.map { TypedWord(word($0)) } ?? TypedWord()
    refusal.productName = productName.map { TypedWord(word($0)) } ?? TypedWord()
    hasRefusal = true
  }

  /// Keeps the refusal that was noted.
  func keepRefusal() {
    hasRefusal = false
    refusals.keep(refusal)
  }
}

/// Reads the refused logins that are kept, newest first.
public struct ReadRefusals: Work {
  public typealias Outcome = Result<[RefusedLogin], Refusal>

  /// Only those of this time and later.
  public let since: Milliseconds

  public init(since: Milliseconds) { self.since = since }
}
