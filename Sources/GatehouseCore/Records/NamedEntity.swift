/// Something that changes are about or name, and for which the index of the log has no keys: whoever looks for it looks at
/// the changes.
public enum NamedEntity: Sendable, Equatable {
  case account(AccountID)
  case group(GroupID)
  case role(Role)
  case field(FieldID)
  /// Of a kind that has ids: `entry`, 1027.
  case numbered(String, UInt64)
}

extension AnyChange {
  /// Whether the change is about an entity or names it.
  func names(_ entity: NamedEntity) -> Bool { known?.names(entity) ?? false }
}

extension Change {
  func names(_ entity: NamedEntity) -> Bool {
    var change = self
    var finder = EntityFinder(entity: entity)
    change.visit(&finder)
    return finder.isFound
  }
}

private struct EntityFinder: FieldVisitor {
  typealias Failure = Never

  let entity: NamedEntity
  var isFound = false

  init(entity: NamedEntity) { self.entity = entity }

  mutating func value<Form: FieldForm>(_ value: inout Form.Value, as form: Form.Type) {
    isFound = isFound || Form.names(value, entity)
  }

  mutating func later() {}
}
