/// The products and workspaces that words name. For a caller who may not know one, it does not exist.
extension Turn {
  /// The product that a word names.
  public func product(_ index: Int) throws(Halt) -> Product {
    read(directory.lsn)
    guard let id = productID(arguments[index]), let product = directory.product(id) else {
      throw .refused(noProduct(index))
    }
    return product
  }

  /// Says that there is no product of the name in a word.
  func noProduct(_ index: Int) -> Refusal { Self.noProduct(repeated(index), isWhole: word(index).contains(0x2f)) }

  /// - Parameters:
  ///   - name: the name to repeat, with a space before it.
  ///   - isWhole: whether the name has the workspace's.
  private static func noProduct(_ name: String, isWhole: Bool) -> Refusal {
    if isWhole { return .notFound("product\(name)", of: "product") }
    return .notFound(
      "product\(name); it was looked for in main: workspace/product names that of another workspace", of: "product")
  }

  /// What to add where something was not found and the command has named no workspace.
  func elsewhere(_ isMeant: Bool = true) -> String {
    guard isMeant, spec.options.contains(where: { $0.token == "WORKSPACE" }), !has("WORKSPACE") else { return "" }
    return "; WORKSPACE w names that of a workspace"
  }

  /// The number of the product that a word names; nil if there is none, or none that the caller knows.
  @inline(__always)
  public func productID(_ word: UnsafeRawBufferPointer) -> ProductID? { productID(word, in: directory) }

  @inline(__always)
  func productID(_ word: UnsafeRawBufferPointer, in directory: Directory) -> ProductID? {
    let id = directory.productID(word)
    if isLimited, let id { return knownProduct(id) }
    return id
  }

  private func knownProduct(_ id: ProductID) -> ProductID? {
    guard let product = directory.product(id), knownWorkspaces(isNaming: true).contains(product) else { return nil }
    noteNamed(product.workspace)
    return id
  }

  public func product(named name: String) throws(Halt) -> Product {
    read(directory.lsn)
    var name = name
    guard let id = name.withUTF8({ productID(UnsafeRawBufferPointer($0)) }), let product = directory.product(id)
    else { throw .refused(Self.noProduct(" \(name)", isWhole: name.contains("/"))) }
    return product
  }

  /// The workspace of this name. For a caller who does not know it, it does not exist.
  public func workspace(named name: String) throws(Halt) -> Workspace {
    directory.workspace(try known(directory.workspaceID(name), named: name))
  }

  private func known(_ id: WorkspaceID?, named name: String) throws(Halt) -> WorkspaceID {
    let id = try known(id, orMissing: name)
    noteNamed(id)
    return id
  }

  private func known(_ id: WorkspaceID?, orMissing name: String) throws(Halt) -> WorkspaceID {
    read(directoryLSN)
    guard let id else { throw .refused(.notFound("workspace \(name)", of: "workspace")) }
    if !isLimited { return id }
    let known = knownWorkspaces(isNaming: true)
    if known.contains(id) { return id }
    guard known.touches(id) else { throw .refused(.notFound("workspace \(name)", of: "workspace")) }
    // Its name is no secret: it is a part of those of the products.
    throw .refused(
      .noPermission(
        "a service that is bound to the workspace \(directory.workspace(id).name): this one is bound to products, and"
          + " names these"))
  }

  public func workspace(at index: Int) throws(Halt) -> Workspace {
    try workspace(named: try text(index, "workspace", limit: Limits.nameBytes))
  }

  /// The workspace of the option `WORKSPACE`, or `main`.
  public func workspace() throws(Halt) -> Workspace { directory.workspace(try workspaceID()) }

  /// The id of that workspace. Copying a `Workspace` retains a dozen references.
  public func workspaceID() throws(Halt) -> WorkspaceID {
    guard let name = try option("WORKSPACE") else {
      return try known(mainWorkspace, orMissing: "main; WORKSPACE w names another")
    }
    return try known(directory.workspaceID(name), named: name)
  }
}
