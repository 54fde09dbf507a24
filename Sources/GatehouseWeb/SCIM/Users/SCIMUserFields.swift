import FoundationEssentials
import GatehouseCore
import GatehouseServer

/// What of a resource is kept where: in the fields of login and contact, in the workspace's own fields, or as what a
/// provisioning system keeps of the user.
struct SCIMUserFields: Equatable {
  var username = ""
  var isActive: Bool?
  /// By the names of `USER.SET`.
  var card: [String: String] = [:]
  /// By the names of `USER.PROVISION`.
  var kept: [String: String] = [:]
  /// The workspace's fields, by name.
  var added: [String: String] = [:]

  /// Attributes that the card has, by the names of `USER.SET`.
  static let cardTexts: [(path: SCIMAttributePath, field: String)] = [
    (SCIMAttributePath("name", "givenName"), "first"), (SCIMAttributePath("name", "middleName"), "middle"),
    (SCIMAttributePath("name", "familyName"), "last"), (SCIMAttributePath("timezone"), timezone),
    (SCIMAttributePath("department", urn: SCIMSchemas.enterprise), "department"),
    (SCIMAttributePath("division", urn: SCIMSchemas.enterprise), "division"),
    (SCIMAttributePath("employeeNumber", urn: SCIMSchemas.enterprise), "reference"),
  ]

  /// Attributes that are kept as they were sent, by the names under which they are.
  static let keptTexts: [(path: SCIMAttributePath, name: String)] =
    [
      "externalId", "displayName", "nickName", "profileUrl", "title", "userType", "preferredLanguage", "locale",
    ].map { (name: String) in (SCIMAttributePath(name), name) }
    + ["formatted", "honorificPrefix", "honorificSuffix"].map { (name: String) in
      (SCIMAttributePath("name", name), "name.\(name)")
    }
    + ["costCenter", "organization"].map { (name: String) in
      (SCIMAttributePath(name, urn: SCIMSchemas.enterprise), "enterprise.\(name)")
    }

  static let manager = "enterprise.manager"
  /// Kept beside the card's where it is no name of a zone.
  static let timezone = "timezone"

  /// Lists that are kept whole, as JSON. Of the first two the card has one value.
  static let lists = ["emails", "phoneNumbers", "ims", "photos", "addresses"]
  static let listsOfCard = [("emails", "email"), ("phoneNumbers", "phone")]

  /// - Parameter resource: in normal form.
  init(_ resource: JSON, _ tenant: SCIMTenant) throws(SCIMError) {
    username = resource[any: "userName"]?.string ?? ""
    isActive = resource[any: "active"]?.bool
    for (path, field) in Self.cardTexts { card[field] = try Self.text(path, resource, Limits.fieldBytes) }
    for (path, name) in Self.keptTexts { kept[name] = try Self.text(path, resource, Limits.textBytes) }
    guard username.utf8.count <= Limits.usernameBytes else { throw Self.tooLong("userName", Limits.usernameBytes) }
    // What is no time zone is kept as it was sent, and says nothing to Gatehouse.
    if let zone = card[Self.timezone], !tenant.isStrict, !tenant.door.isZone(zone) {
      card[Self.timezone] = nil
      kept[Self.timezone] = zone
    }
    if let language = card(languageOf: resource) { card["language"] = language }
    kept[Self.manager] = resource[any: SCIMSchemas.enterprise]?[any: "manager"]?[any: "value"]?.string
    for name in Self.lists {
      guard let list = resource[any: name]?.array, !list.isEmpty else { continue }
      if let field = Self.listsOfCard.first(where: { $0.0 == name })?.1 {
        card[field] = Self.chosen(list)?[any: "value"]?.string
        // The usual list of one says no more than the card.
        if Self.isPlain(list) { continue }
      }
      let text = JSON.array(list).text
      guard text.utf8.count <= Limits.textBytes else { throw Self.tooLong(name, Limits.textBytes) }
      kept[name] = text
    }
    for member in resource[any: SCIMSchemas.fields]?.members ?? [] {
      added[member.name] = Self.fieldText(member.value)
    }
  }

  /// Mails are written in the language that is preferred, else in that of the locale, if it is a language tag.
  private func card(languageOf resource: JSON) -> String? {
    (kept["preferredLanguage"] ?? kept["locale"]).flatMap { text in
      Language.named(String(text.map { $0 == "_" ? "-" : $0 }))
    }
  }

  /// - Parameter most: how many bytes it may have, so that what is too long is refused by the name that the client knows.
  private static func text(_ path: SCIMAttributePath, _ resource: JSON, _ most: Int) throws(SCIMError) -> String? {
    let room = path.urn.map { resource[any: $0] } ?? resource
    let value = room?[any: path.name]
    let text = (path.sub.map { value?[any: $0] } ?? value)?.string
    if let text, text.utf8.count > most { throw tooLong(path.name + (path.sub.map { ".\($0)" } ?? ""), most) }
    return text
  }

  private static func tooLong(_ name: String, _ most: Int) -> SCIMError {
    .invalid(.invalidValue, "\(name) is longer than \(most) bytes; shorten it")
  }

  private static func fieldText(_ value: JSON) -> String? {
    switch value {
    case .string(let text): text
    case .integer(let number): String(number)
    case .bool(let flag): flag ? "1" : "0"
    default: nil
    }
  }

  // MARK: Lists

  /// The value of a list that the card has: the primary one, else the one for work, else the first.
  static func chosen(_ list: [JSON]) -> JSON? {
    list.first { $0[any: "primary"]?.bool == true } ?? list.first {
      $0[any: "type"]?.string?.isSame(as: "work") ?? false
    }
      ?? list.first
  }

  /// `[{value, type: work, primary: true}]`, which is what is shown of a card by itself.
  private static func isPlain(_ list: [JSON]) -> Bool {
    guard list.count == 1, let value = list[0][any: "value"]?.string else { return false }
    return list[0].isSame(as: plain(value))
  }

  static func plain(_ value: String) -> JSON {
    .object([("value", .string(value)), ("type", .string("work")), ("primary", .bool(true))])
  }

  /// A list as it was sent, with the card's value in its place, which may have been changed since.
  static func list(kept text: String?, card value: String?) -> JSON? {
    guard let text, let list = (try? JSON(text: text))?.array, !list.isEmpty else {
      return value.map { .array([plain($0)]) }
    }
    guard let value, let chosen = chosen(list), chosen[any: "value"]?.string != value else { return .array(list) }
    return .array(list.map { $0.isSame(as: chosen) ? $0.setting("value", .string(value)) : $0 })
  }
}
