enum GrantForm: FieldForm {
  static func write(_ value: Grant, to writer: inout ByteWriter) { writer.grant(value) }
  static func read(from reader: inout ByteReader) throws(CodingError) -> Grant { try reader.grant() }

  static func text(_ value: Grant, in directory: Directory?) -> String? {
    func name(_ number: UInt32, _ form: (some FieldForm<UInt32>).Type) -> String {
      form.text(number, in: directory) ?? ""
    }
    let role = RoleForm.text(value.role, in: directory) ?? ""
    return switch value.scope {
    case .everywhere: role
    case .workspace(let id): "\(role) in workspace \(name(id, WorkspaceForm.self))"
    case .product(let id): "\(role) in product \(name(id, ProductForm.self))"
    case .account(let id, _): "\(role) in \(AccountForm.entity(id, in: directory))"
    case .group(let id, _): "\(role) in \(GroupForm.entity(id, in: directory))"
    }
  }

  static func shown(_ name: String, old: Grant?, new: Grant?, in directory: Directory?) -> [ChangeText.Field] {
    let role = ChangeText.Field(
      name: name, old: old.flatMap { text($0, in: directory) }, new: new.flatMap { text($0, in: directory) })
    // Of a role that comes or goes only the mark of the main one is worth a word.
    func mark(_ grant: Grant?) -> String? { grant?.isMain == true ? "1" : old != nil && new != nil ? "0" : nil }
    let (before, after) = (mark(old), mark(new))
    let main = before == after ? [] : [ChangeText.Field(name: "main", old: before, new: after)]
    return [role] + main + LimitsForm.shown("", old: old?.limits, new: new?.limits, in: directory)
  }

  static func addKeys(of value: Grant, to keys: inout [UInt64]) {
    switch value.scope {
    case .workspace(let id): WorkspaceForm.addKeys(of: id, to: &keys)
    case .product(let id): ProductForm.addKeys(of: id, to: &keys)
    case .account(_, let workspace), .group(_, let workspace): WorkspaceForm.addKeys(of: workspace, to: &keys)
    case .everywhere: break
    }
  }

  static func names(_ value: Grant, _ entity: NamedEntity) -> Bool {
    if RoleForm.names(value.role, entity) { return true }
    return switch value.scope {
    case .account(let id, _): AccountForm.names(id, entity)
    case .group(let id, _): GroupForm.names(id, entity)
    case .everywhere, .workspace, .product: false
    }
  }
}
