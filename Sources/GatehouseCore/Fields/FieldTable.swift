/// The fields defined by workspaces, including dropped ones: a number is never reused.
struct FieldTable: Sendable {
  private(set) var rows = PagedArray<FieldDefinition>()
  private var ofWorkspace = SharedIndex()
  /// How many numbers each workspace has had.
  private var counts: [WorkspaceID: Int] = [:]
  private var names = SharedIndex()

  mutating func add(_ field: FieldDefinition) {
    precondition(Int(field.id) == rows.count + 1, "field numbers have a gap")
    rows.append(field)
    counts[field.workspace, default: 0] += 1
    ofWorkspace.insert(Int(field.id), hash: Self.hash(of: field.workspace))
    names.insert(Int(field.id), hash: SharedIndex.hash(of: field.name))
  }

  mutating func change(_ id: FieldID, _ body: (inout FieldDefinition) -> Void) { body(&rows[Int(id) - 1]) }

  func find(_ id: FieldID) -> FieldDefinition? {
    id > 0 && Int(id) <= rows.count ? rows[Int(id) - 1] : nil
  }

  /// How many fields a workspace has had, dropped ones among them.
  func numbers(of workspace: WorkspaceID) -> Int { counts[workspace] ?? 0 }

  /// The fields of a workspace that are not dropped, oldest first.
  func fields(of workspace: WorkspaceID) -> [FieldDefinition] {
    fields(ofWorkspace, Self.hash(of: workspace)) { $0.workspace == workspace }
  }

  /// The fields with this name that are not dropped, in all workspaces.
  func fields(named name: String) -> [FieldDefinition] {
    fields(names, SharedIndex.hash(of: name)) { $0.name == name }
  }

  private func fields(
    _ index: SharedIndex, _ hash: UInt32, where isMeant: (FieldDefinition) -> Bool
  ) -> [FieldDefinition] {
    var fields: [FieldDefinition] = []
    _ = index.find(hash) { id in
      let field = rows[id - 1]
      if isMeant(field), !field.isDropped { fields.append(field) }
      return false
    }
    return fields.sorted { $0.id < $1.id }
  }

  private static func hash(of workspace: WorkspaceID) -> UInt32 { workspace &* 0x9e37_79b9 }
}

extension FieldTable: DirectoryTable {
  static let sections: [StoredSection<StoredDirectory>] = [
    .rows(8) {
      $0.tables.fields.rows
    } blank: {
      FieldDefinition(id: $0)
    } add: { (tables, field, _) throws(CodingError) in
      tables.fields.add(field)
    }
  ]

  static func check(_ directory: Directory, _ checker: InvariantChecker) {
    var names: Set<String> = []
    for field in directory.tables.fields.rows {
      checker.expect(checker.isWorkspace(field.workspace), "field \(field.name) is of an unknown workspace")
      guard !field.isDropped else { continue }
      checker.expect(
        names.insert("\(field.workspace)/\(field.name)").inserted, "two fields of one workspace are named \(field.name)"
      )
    }
  }
}

extension Directory {
  /// A field by number, dropped or not.
  func field(_ id: FieldID) -> FieldDefinition? { tables.fields.find(id) }

  /// The fields of a workspace, without the dropped ones.
  func fields(of workspace: WorkspaceID) -> [FieldDefinition] { tables.fields.fields(of: workspace) }

  /// The fields that everybody with this home must have.
  func mandatoryFields(of workspace: WorkspaceID) -> [FieldDefinition] { fields(of: workspace).filter(\.isMandatory) }
}
