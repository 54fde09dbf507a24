/// The answer to a command, independent of the protocol version that carries it.
///
/// A reply is a flat list of nodes in wire order; an aggregate node says how many elements follow it.
/// Texts lie one after the other in `bytes`, so that building a reply neither allocates a string nor
/// counts a reference, and a lane can reuse one value for every command (`reset()` keeps the storage).
package struct Reply: Sendable, Equatable {
  package enum Kind: UInt8, Sendable, BitwiseCopyable {
    /// A short status line: `OK`, `ALLOW`, `DENY reason`. Its text has neither CR nor LF.
    case simple
    /// An error; the text starts with its code.
    case error
    case integer
    /// A binary-safe text.
    case text
    /// A text for people, several lines long (`INFO`); plain bulk in RESP2.
    case verbatim
    case double
    case null
    /// `count` elements follow.
    case array
    /// `count` pairs of key and value follow; in RESP2 an array of twice as many elements.
    case map
    /// A text that is shown once (a token, a secret). On the wire as `text`; never stored or logged.
    case secret
  }

  package struct Node: Sendable, BitwiseCopyable, Equatable {
    package let kind: Kind
    /// The length of a text in bytes, or the count of an aggregate's elements or pairs.
    package let count: Int32
    /// An integer's value, a double's bit pattern, or the offset of a text in `bytes`.
    package let value: Int64
  }

  package private(set) var nodes: ContiguousArray<Node> = []
  package private(set) var bytes: ContiguousArray<UInt8> = []

  package init() {}

  package init(nodes: ContiguousArray<Node>, bytes: ContiguousArray<UInt8>) {
    self.nodes = nodes
    self.bytes = bytes
  }

  package var isEmpty: Bool { nodes.isEmpty }

  /// Whether the first node is an error.
  package var isError: Bool { nodes.first?.kind == .error }

  /// Empties the reply and keeps its storage.
  package mutating func reset() {
    if !nodes.isEmpty { nodes.removeAll(keepingCapacity: true) }
    if !bytes.isEmpty { bytes.removeAll(keepingCapacity: true) }
  }

  // MARK: Building

  package mutating func ok() { simple("OK") }

  package mutating func simple(_ text: StaticString) { add(.simple, text) }
  package mutating func simple(_ text: String) { add(.simple, text) }
  package mutating func text(_ text: StaticString) { add(.text, text) }
  package mutating func text(_ text: String) { add(.text, text) }
  package mutating func text(_ raw: UnsafeRawBufferPointer) { add(.text, raw) }
  package mutating func verbatim(_ text: String) { add(.verbatim, text) }
  package mutating func secret(_ text: String) { add(.secret, text) }
  package mutating func error(_ text: String) { add(.error, text) }

  package mutating func integer(_ value: some BinaryInteger) {
    nodes.append(Node(kind: .integer, count: 0, value: Int64(value)))
  }

  package mutating func flag(_ value: Bool) { integer(value ? 1 : 0) }

  package mutating func double(_ value: Double) {
    nodes.append(Node(kind: .double, count: 0, value: Int64(bitPattern: value.bitPattern)))
  }

  package mutating func null() { nodes.append(Node(kind: .null, count: 0, value: 0)) }

  package mutating func array(_ count: Int) {
    nodes.append(Node(kind: .array, count: Int32(count), value: 0))
  }

  package mutating func map(_ pairs: Int) {
    nodes.append(Node(kind: .map, count: Int32(pairs), value: 0))
  }

  /// Text, or null where there is none.
  package mutating func optional(_ value: String?) {
    if let value { text(value) } else { null() }
  }

  /// Number, or null where there is none.
  package mutating func optional(_ value: (some BinaryInteger)?) {
    if let value { integer(value) } else { null() }
  }

  /// Appends all nodes of `other`.
  package mutating func append(_ other: Reply) {
    let shift = Int64(bytes.count)
    bytes.append(contentsOf: other.bytes)
    for node in other.nodes {
      nodes.append(
        node.kind.isText ? Node(kind: node.kind, count: node.count, value: node.value + shift) : node)
    }
  }

  /// Appends one node of `other`.
  package mutating func append(_ node: Node, of other: Reply) {
    guard node.kind.isText else { return nodes.append(node) }
    let start = Int(node.value)
    nodes.append(Node(kind: node.kind, count: node.count, value: Int64(bytes.count)))
    bytes.append(contentsOf: other.bytes[start..<start + Int(node.count)])
  }

  private mutating func add(_ kind: Kind, _ text: StaticString) {
    nodes.append(Node(kind: kind, count: Int32(text.utf8CodeUnitCount), value: Int64(bytes.count)))
    bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  private mutating func add(_ kind: Kind, _ text: String) {
    let start = bytes.count
    bytes.append(contentsOf: text.utf8)
    nodes.append(Node(kind: kind, count: Int32(bytes.count - start), value: Int64(start)))
  }

  private mutating func add(_ kind: Kind, _ raw: UnsafeRawBufferPointer) {
    nodes.append(Node(kind: kind, count: Int32(raw.count), value: Int64(bytes.count)))
    bytes.append(contentsOf: raw)
  }

  // MARK: Reading

  /// The text of a node of a text kind.
  package func text(of node: Node) -> String {
    let start = Int(node.value)
    return String(decoding: bytes[start..<start + Int(node.count)], as: UTF8.self)
  }
}

extension Reply.Kind {
  /// Whether a node of this kind refers to the reply's bytes.
  package var isText: Bool {
    switch self {
    case .simple, .error, .text, .verbatim, .secret: true
    case .integer, .double, .null, .array, .map: false
    }
  }
}
