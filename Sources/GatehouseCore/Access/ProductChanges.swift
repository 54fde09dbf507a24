public struct ProductCreated: DirectoryChange {
  public static var code: UInt8 { 42 }
  public static var name: String { "product-created" }

  public var product: ProductID = 0
  public var workspace: WorkspaceID = 0
  public var name = ""

  public init() {}

  public init(_ product: ProductID, _ workspace: WorkspaceID, name: String) {
    self.product = product
    self.workspace = workspace
    self.name = name
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&product, as: ProductForm.self)
    try visitor.field("workspace", &workspace, as: WorkspaceForm.self)
    try visitor.given(&name)
  }

  public var concern: Concern { .nobody }

  public func apply(to directory: inout DirectoryTables, lsn: LSN, time: Milliseconds) {
    directory.add(Product(id: product, workspace: workspace, name: name, created: time))
  }
}

/// How many seats of a licence type were bought.
public struct PoolSet: DirectoryChange {
  public static var code: UInt8 { 43 }
  public static var name: String { "pool-set" }

  public var product: ProductID = 0
  public var type = ""
  public var seats = BoughtSeats(old: nil, new: 0)

  public init() {}

  public init(_ product: ProductID, type: String, old: UInt32?, new: UInt32) {
    self.product = product
    self.type = type
    seats = BoughtSeats(old: old, new: new)
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&product, as: ProductForm.self)
    try visitor.field("type", &type, as: TextForm.self)
    try visitor.field("bought", &seats, as: BoughtSeatsForm.self)
  }

  public var facts: [Fact] { seats.old == nil ? [.pools(product)] : [] }

  public var concern: Concern { .nobody }

  public func apply(to directory: inout DirectoryTables, lsn: LSN, time: Milliseconds) {
    directory.products.change(product) { $0.setPool(type, bought: seats.new) }
  }
}

/// How many seats there were (nil if there was no pool), and how many there are.
public struct BoughtSeats: Sendable, Equatable {
  public let old: UInt32?
  public let new: UInt32
}

enum BoughtSeatsForm: FieldForm {
  static func write(_ value: BoughtSeats, to writer: inout ByteWriter) {
    writer.optional(value.old) { $0.varint($1) }
    writer.varint(value.new)
  }

  static func read(from reader: inout ByteReader) throws(CodingError) -> BoughtSeats {
    BoughtSeats(
      old: try reader.optional { (reader) throws(CodingError) in try reader.number() }, new: try reader.number())
  }

  static func shown(
    _ name: String, old: BoughtSeats?, new: BoughtSeats?, in directory: Directory?
  ) -> [ChangeText.Field] {
    new.map { [ChangeText.Field(name: name, old: $0.old.map(String.init), new: "\($0.new)")] } ?? []
  }
}
