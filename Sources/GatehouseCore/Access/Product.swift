/// An application of a workspace.
public struct Product: Sendable {
  public internal(set) var id: ProductID
  public internal(set) var workspace: WorkspaceID
  public internal(set) var name: String
  public internal(set) var created: Milliseconds
  /// The seat pools in creation order; a licence's number is its index here plus 1.
  public var pools: [Pool] = []

  public init(id: ProductID, workspace: WorkspaceID, name: String, created: Milliseconds) {
    self.id = id
    self.workspace = workspace
    self.name = name
    self.created = created
  }

  /// The type of the pool from which every enabled access takes a seat (T6).
  public static let everyAccess = "*"

  /// Whether login needs a licence of one of the product's types (P9, P10).
  public var needsLicence: Bool { pools.contains { $0.type != Self.everyAccess } }

  public func licence(_ type: String) -> UInt8? {
    pools.firstIndex { $0.type == type }.map { UInt8($0 + 1) }
  }

  /// Sets how many seats of a pool were bought; creates the pool if there is none of the type.
  mutating func setPool(_ type: String, bought: UInt32) {
    if let licence = licence(type) {
      pools[Int(licence) - 1].bought = bought
    } else {
      pools.append(Pool(type: type, bought: bought))
    }
  }

  public func licenceName(_ licence: UInt8) -> String? {
    licence == 0 || Int(licence) > pools.count ? nil : pools[Int(licence) - 1].type
  }
}

/// A licence type of a product, and how many seats of it were bought.
public struct Pool: Sendable, Equatable {
  public let type: String
  public var bought: UInt32

  public init(type: String, bought: UInt32) {
    self.type = type
    self.bought = bought
  }
}

extension Product: StoredValue {
  mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.value(&workspace, as: WorkspaceForm.self)
    try visitor.value(&name, as: TextForm.self)
    try visitor.value(&created, as: TimeForm.self)
    try visitor.value(&pools, as: ListForm<PoolForm>.self)
  }
}

private enum PoolForm: FieldForm {
  static func write(_ value: Pool, to writer: inout ByteWriter) {
    writer.text(value.type)
    writer.varint(value.bought)
  }

  static func read(from reader: inout ByteReader) throws(CodingError) -> Pool {
    Pool(type: try reader.text(), bought: try reader.number())
  }
}
