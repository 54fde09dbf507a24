/// The answer to a command, independent of the protocol version.
///
/// A reply is a flat list of nodes in wire order; an aggregate node gives the number of elements after it. Texts are
/// stored one after another in the reply's bytes, except constants of the program, which are referred to in place. So
/// building a reply allocates no strings and counts no references, and a lane reuses one value for every command
/// (`reset()` keeps the storage).
public struct Reply: Sendable {
  public enum Kind: UInt8, Sendable, BitwiseCopyable {
    /// A status line such as `OK`; its text has neither CR nor LF. Never a decision or data: see `Status`.
    case simple
    /// An error; the text starts with its code.
    case error
    case integer
    /// A binary-safe text.
    case text
    /// A text of several lines for people (`INFO`); a plain bulk string in RESP2.
    case verbatim
    case double
    case null
    /// `count` elements follow.
    case array
    /// `count` pairs of key and value follow; in RESP2, an array with twice as many elements.
    case map
    /// A text that is shown only once (a token, a secret). Sent like `text`, but never stored or logged.
    case secret
    /// `count` elements follow that are no answer to a command, or one about messages; in RESP2, an array.
    case push
  }

  public struct Node: Sendable, BitwiseCopyable {
    public let kind: Kind
    /// Whether the text is a constant of the program.
    @usableFromInline let isConstant: Bool
    /// The length of the name behind the text of an error: the field that it is about. It is not sent.
    fileprivate var fieldCount: UInt8 = 0
    /// The length of a text in bytes, or the count of an aggregate's elements or pairs.
    public let count: Int32
    /// An integer's value, a double's bit pattern, a text's offset in the reply's bytes, or the address of a constant
    /// text.
    public let value: Int64

    @inline(__always)
    fileprivate init(_ kind: Kind, count: Int = 0, value: Int64 = 0, isConstant: Bool = false) {
      self.kind = kind
      self.isConstant = isConstant
      self.count = Int32(count)
      self.value = value
    }

    @inline(__always)
    fileprivate init(_ kind: Kind, _ text: StaticString) {
      let address = Int64(Int(bitPattern: text.utf8Start))
      self.init(kind, count: text.utf8CodeUnitCount, value: address, isConstant: true)
    }

    @inline(__always)
    static func text(_ text: StaticString) -> Node { Node(.text, text) }

    @inline(__always)
    static func integer(_ value: some BinaryInteger) -> Node { Node(.integer, value: Int64(value)) }

    static var null: Node {
      @inline(__always) get { Node(.null) }
    }
  }

  /// The first `nodeCount` belong to the reply; the rest is spare capacity.
  @usableFromInline var storedNodes: ContiguousArray<Node> = []
  @usableFromInline var nodeCount = 0
  /// The texts. The first `byteCount` belong to the reply; the rest is spare capacity.
  @usableFromInline var storedBytes: ContiguousArray<UInt8> = []
  @usableFromInline var byteCount = 0

  public init() {}

  public var isEmpty: Bool { nodeCount == 0 }

  /// The memory of the reply in bytes.
  public var size: Int { nodeCount * MemoryLayout<Node>.stride + byteCount }

  /// Whether the first node is an error.
  public var isError: Bool { nodeCount > 0 && storedNodes[0].kind == .error }

  /// Empties the reply and keeps its storage.
  @inline(__always)
  public mutating func reset() {
    nodeCount = 0
    byteCount = 0
  }

  // MARK: Building

  /// The closed set of status lines. They acknowledge a command and nothing else. Security: phpredis turns every simple
  /// string into `true`, so a decision sent as one would let everybody in. Decisions and data are `text`.
  public struct Status: Sendable {
    let text: StaticString

    public static let ok = Status(text: "OK")
    public static let pong = Status(text: "PONG")
    public static let reset = Status(text: "RESET")
    /// The command waits for `EXEC`.
    public static let queued = Status(text: "QUEUED")
    public static let savingStarted = Status(text: "Background saving started")
  }

  public mutating func status(_ status: Status) { add(.simple, status.text) }
  public mutating func ok() { status(.ok) }
  /// A flag or category in replies of `COMMAND`, where clients require simple strings.
  public mutating func tag(_ text: String) { simple(text) }
  /// For a reply that is decoded from the log.
  mutating func simple(_ text: String) { add(.simple, text) }
  // A literal would be a `String` if that overload were not disfavoured.
  @inline(__always)
  public mutating func text(_ text: StaticString) { add(.text, text) }
  @_disfavoredOverload public mutating func text(_ text: String) { add(.text, text) }
  public mutating func text(_ raw: UnsafeRawBufferPointer) { add(.text, raw) }
  public mutating func verbatim(_ text: String) { add(.verbatim, text) }
  public mutating func secret(_ text: String) { add(.secret, text) }
  public mutating func secret(_ whole: SecretText.Whole) { whole.withBytes { add(.secret, $0) } }

  /// - Parameter field: what of the command it is about (`Refusal.field`).
  public mutating func error(_ text: String, of field: String? = nil) {
    add(.error, text)
    guard var field, field.utf8.count <= UInt8.max else { return }
    storedNodes[nodeCount - 1].fieldCount = UInt8(field.utf8.count)
    field.withUTF8 { append(UnsafeRawBufferPointer($0)) }
  }

  public mutating func integer(_ value: some BinaryInteger) { add(Node(.integer, value: Int64(value))) }

  public mutating func flag(_ value: Bool) { integer(value ? 1 : 0) }

  public mutating func double(_ value: Double) { add(Node(.double, value: Int64(bitPattern: value.bitPattern))) }

  public mutating func null() { add(Node(.null)) }

  public mutating func array(_ count: Int) { add(Node(.array, count: count)) }

  public mutating func push(_ count: Int) { add(Node(.push, count: count)) }

  public mutating func map(_ pairs: Int) { add(Node(.map, count: pairs)) }

  /// The text, or null if there is none.
  public mutating func optional(_ value: String?) {
    if let value { text(value) } else { null() }
  }

  /// The number, or null if there is none.
  public mutating func optional(_ value: (some BinaryInteger)?) {
    if let value { integer(value) } else { null() }
  }

  /// Appends all nodes of `other`.
  public mutating func append(_ other: Reply) {
    let shift = Int64(byteCount)
    other.withParts { _, bytes in append(bytes) }
    for node in other.nodes {
      let isMoved = node.kind.isText && !node.isConstant
      add(isMoved ? Node(node.kind, count: Int(node.count), value: node.value + shift) : node)
    }
  }

  /// Appends one node of `other`.
  public mutating func append(_ node: Node, of other: Reply) {
    guard node.kind.isText, !node.isConstant else { return add(node) }
    other.withParts { _, bytes in add(node.kind, node.text(bytes)) }
  }

  @inline(__always)
  private mutating func add(_ node: Node) {
    if nodeCount < storedNodes.count { storedNodes[nodeCount] = node } else { storedNodes.append(node) }
    nodeCount += 1
  }

  /// Adds nodes that belong together; looking at the storage for each would cost more than writing it.
  @inline(__always)
  mutating func add<let count: Int>(_ nodes: InlineArray<count, Node>) {
    let first = nodeCount
    if first + count > storedNodes.count { makeRoom(throughNode: first + count) }
    storedNodes.withUnsafeMutableBufferPointer { stored in
      for index in 0..<count { stored[first + index] = nodes[index] }
    }
    nodeCount = first + count
  }

  @inline(never)
  private mutating func makeRoom(throughNode end: Int) {
    while storedNodes.count < end { storedNodes.append(.null) }
  }

  /// Stores a text, and returns the node of it, which is to be added.
  mutating func store(_ raw: UnsafeRawBufferPointer) -> Node {
    let node = Node(.text, count: raw.count, value: Int64(byteCount))
    append(raw)
    return node
  }

  mutating func store(_ text: String) -> Node {
    var text = text
    return text.withUTF8 { store(UnsafeRawBufferPointer($0)) }
  }

  @inline(__always)
  private mutating func add(_ kind: Kind, _ text: StaticString) { add(Node(kind, text)) }

  private mutating func add(_ kind: Kind, _ text: String) {
    var text = text
    text.withUTF8 { add(kind, UnsafeRawBufferPointer($0)) }
  }

  private mutating func add(_ kind: Kind, _ raw: UnsafeRawBufferPointer) {
    add(Node(kind, count: raw.count, value: Int64(byteCount)))
    append(raw)
  }

  @inline(__always)
  private mutating func append(_ raw: UnsafeRawBufferPointer) {
    guard let source = raw.baseAddress else { return }
    let end = byteCount + raw.count
    if end > storedBytes.count { makeRoom(through: end) }
    storedBytes.withUnsafeMutableBytes {
      ($0.baseAddress! + byteCount).copyMemory(from: source, byteCount: raw.count)
    }
    byteCount = end
  }

  @inline(never)
  private mutating func makeRoom(through end: Int) {
    // In one copy: appending zeros goes byte by byte where nothing is optimised, in tests a tenth of a scan's time. What
    // lies behind `byteCount` is written before it is read.
    let old = storedBytes
    let used = byteCount
    storedBytes = ContiguousArray(unsafeUninitializedCapacity: max(end, old.count * 2)) { buffer, count in
      old.withUnsafeBytes { UnsafeMutableRawBufferPointer(buffer).copyMemory(from: .init(rebasing: $0[..<used])) }
      count = buffer.count
    }
  }

  // MARK: Reading

  public var nodes: ArraySlice<Node> { storedNodes[..<nodeCount] }

  /// The text of a node of a text kind.
  public func text(of node: Node) -> String {
    withParts { _, bytes in String(decoding: node.text(bytes), as: UTF8.self) }
  }

  /// What of the command an error is about, where the refusal says so.
  public var errorField: String? {
    guard let node = nodes.first, node.kind == .error, node.fieldCount > 0 else { return nil }
    let start = Int(node.value) + Int(node.count)
    return String(decoding: storedBytes[start..<start + Int(node.fieldCount)], as: UTF8.self)
  }

  /// Calls `body` with the nodes and the bytes to which they refer.
  @inlinable @inline(__always)
  public func withParts<Result>(
    _ body: (UnsafeBufferPointer<Node>, UnsafeRawBufferPointer) -> Result
  ) -> Result {
    storedNodes.withUnsafeBufferPointer { nodes in
      storedBytes.withUnsafeBytes { bytes in
        body(
          UnsafeBufferPointer(rebasing: nodes[..<nodeCount]), UnsafeRawBufferPointer(rebasing: bytes[..<byteCount]))
      }
    }
  }
}

extension Reply.Node {
  /// The bytes of a text node; `bytes` are those of its reply.
  @inlinable @inline(__always)
  public func text(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    let count = Int(count)
    if isConstant {
      return UnsafeRawBufferPointer(start: UnsafeRawPointer(bitPattern: Int(value)), count: count)
    }
    let start = Int(value)
    precondition(start >= 0 && count >= 0 && start <= bytes.count - count)
    return UnsafeRawBufferPointer(rebasing: bytes[start..<start + count])
  }
}

extension Reply: Equatable {
  public static func == (a: Reply, b: Reply) -> Bool {
    a.nodes.elementsEqual(b.nodes) { one, other in
      guard one.kind == other.kind, one.count == other.count else { return false }
      return one.kind.isText ? a.text(of: one) == b.text(of: other) : one.value == other.value
    }
  }
}

extension Reply.Kind {
  /// Whether a node of this kind has a text.
  @inlinable
  public var isText: Bool {
    switch self {
    case .simple, .error, .text, .verbatim, .secret: true
    case .integer, .double, .null, .array, .map, .push: false
    }
  }
}
