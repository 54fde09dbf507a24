/// The products with their seat pools, and the indexes on them.
struct ProductTable: Sendable {
  private(set) var rows = PagedArray<Product>()
  /// The data that the hot path reads, flat, by number.
  private(set) var facts = PagedArray<ProductFacts>()
  private(set) var names = NameTable()
  /// Only as long as the last workspace that has a product.
  private var byWorkspace = PagedArray<[ProductID]>()

  /// - Parameter shown: the product's name as replies show it.
  mutating func add(_ product: Product, shown: String) {
    precondition(Int(product.id) == rows.count + 1, "product numbers have a gap")
    rows.append(product)
    facts.append(ProductFacts(product))
    names.append(shown)
    while byWorkspace.count < Int(product.workspace) { byWorkspace.append([]) }
    byWorkspace[Int(product.workspace) - 1].append(product.id)
  }

  /// Changes the pools of a product; its name and workspace never change.
  mutating func change(_ id: ProductID, _ body: (inout Product) -> Void) {
    body(&rows[Int(id) - 1])
    facts[Int(id) - 1] = ProductFacts(rows[Int(id) - 1])
  }

  /// The products of a workspace, in creation order.
  func products(of workspace: WorkspaceID) -> [ProductID] {
    Int(workspace) <= byWorkspace.count ? byWorkspace[Int(workspace) - 1] : []
  }
}

/// What a login decision needs to know of a product, flat, so that reading it costs no reference counting.
public struct ProductFacts: Sendable, BitwiseCopyable {
  public let workspace: WorkspaceID
  public let needsLicence: Bool

  init(_ product: Product) {
    workspace = product.workspace
    needsLicence = product.needsLicence
  }
}

extension ProductTable: DirectoryTable {
  static let sections: [StoredSection<StoredDirectory>] = [
    .rows(2) {
      $0.tables.products.rows
    } blank: {
      Product(id: $0, workspace: 0, name: "", created: 0)
    } add: { (tables, product, reader) throws(CodingError) in
      guard (1..<(tables.workspaces.rows.count + 1)).contains(Int(product.workspace)) else {
        throw reader.failure("a product whose workspace is not there")
      }
      tables.add(product)
    }
  ]

  static func check(_ directory: Directory, _ checker: InvariantChecker) {
    for (index, product) in directory.products.enumerated() {
      checker.expect(Int(product.id) == index + 1, "product \(product.name) has the number \(product.id)")
      checker.expect(
        checker.isWorkspace(product.workspace), "product \(product.name) is of a workspace that is not there")
      let types = product.pools.map(\.type)
      checker.expect(Set(types).count == types.count, "product \(product.name) has two pools of one type")
    }
  }
}

extension DirectoryTables {
  mutating func add(_ product: Product) { products.add(product, shown: name(of: product)) }

  /// `name` in the main workspace, `workspace/name` in others.
  func name(of product: Product) -> String {
    product.workspace == mainWorkspace
      ? product.name : "\(workspaces.rows[Int(product.workspace) - 1].name)/\(product.name)"
  }
}

extension Directory {
  public var products: PagedArray<Product> { tables.products.rows }

  public func product(_ id: ProductID) -> Product? {
    id > 0 && Int(id) <= tables.products.rows.count ? tables.products.rows[Int(id) - 1] : nil
  }

  /// The products of a workspace, in creation order.
  public func products(of workspace: WorkspaceID) -> [ProductID] { tables.products.products(of: workspace) }

  /// The product named `name` or `workspace/name`.
  public func productID(_ word: UnsafeRawBufferPointer) -> ProductID? {
    tables.products.names.find(word).map { ProductID($0) } ?? rareProductID(word)
  }

  /// The slow path: the word is not spelt as replies show it.
  @inline(never)
  private func rareProductID(_ word: UnsafeRawBufferPointer) -> ProductID? {
    FoldedText.with(word) { folded in
      if let found = tables.products.names.find(folded) { return ProductID(found) }
      guard folded.starts(with: Self.main) else { return nil }
      let name = UnsafeRawBufferPointer(rebasing: folded.dropFirst(Self.main.count))
      return name.contains(UInt8(ascii: "/")) ? nil : tables.products.names.find(name).map { ProductID($0) }
    }
  }

  private static let main = Array("main/".utf8)

  /// What a login decision needs to know of a product.
  @inline(__always)
  public func facts(ofProduct product: ProductID) -> ProductFacts { tables.products.facts[Int(product) - 1] }

  /// `name` in the main workspace, `workspace/name` in others.
  public func productName(_ product: Product) -> String { tables.name(of: product) }

  /// The text of `productName`, valid as long as the directory; nil for 0, which is no product.
  func shownProduct(_ id: ProductID) -> UnsafeRawBufferPointer? {
    id == 0 ? nil : tables.products.names.bytes(of: Int(id))
  }
}
