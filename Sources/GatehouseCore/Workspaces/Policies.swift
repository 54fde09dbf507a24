/// The settings of a workspace, which choose between the rules of different products.
///
/// A policy is one entry of `all`: its name in `WORKSPACE.SET ws policy.NAME value`, its kind and its default.
/// Decisions read the typed values of this struct; setting, listing and the reference are derived from the table.
public struct Policies: Sendable, Equatable {
  public enum Value: Sendable, Equatable {
    case flag(Bool)
    case number(Int64)
    /// A duration in milliseconds.
    case span(Milliseconds)
    case choice(String)
    case words([String])
    /// The name of a time zone; setting it checks that the zone exists.
    case zone(String)
    /// An e-mail address; empty for none.
    case address(String)
    case language(String)
    /// A name that people read; empty for none.
    case title(String)
  }

  public struct Definition: Sendable {
    public let name: String
    public let summary: String
    public let standard: Value
    /// The words allowed in a choice or list, or the bounds of a number or duration.
    public let choices: [String]
    public let range: ClosedRange<Int64>
    /// Whether it weakens or strengthens the workspace's security; administering people does not include setting it.
    public let isAboutSecurity: Bool

    init(
      _ name: String, _ standard: Value, _ summary: String, choices: [String] = [],
      range: ClosedRange<Int64> = 0...Limits.latestTime, isAboutSecurity: Bool = false
    ) {
      self.name = name
      self.standard = standard
      self.summary = summary
      self.choices = choices
      self.range = range
      self.isAboutSecurity = isAboutSecurity
    }
  }

  public static let all: [Definition] = [
    Definition(
      "delete.keep-tracked", .flag(true), "deleting is refused while time is recorded for the user"),
    Definition("delete.needs-reason", .flag(true), "deleting needs a reason, which is recorded"),
    Definition(
      "contact.name-format", .choice("first-last"), "the order of names in a typed name",
      choices: ["first-last", "last-first"]),
    Definition(
      "user.required-fields", .words([]), "what a new user must have; a reference must be unique",
      choices: requirable),
    Definition(
      "user.needs-authority", .flag(false), "only administrators with authority add and remove users",
      isAboutSecurity: true),
    Definition(
      "user.needs-billing-acceptance", .flag(false), "adding and removing needs ACCEPT-BILLING",
      isAboutSecurity: true),
    Definition(
      "login.within-employment", .flag(false), "login is refused before the hire and after the release date",
      isAboutSecurity: true),
    Definition(
      "accounts.needs-owner", .flag(false), "only the owner logs in as others and stops their timers",
      isAboutSecurity: true),
    Definition(
      "accounts.needs-enterprise", .flag(false), "account tools need the enterprise plan", isAboutSecurity: true),
    Definition(
      "login.lock-after", .number(100), "how many wrong passwords in a row lock a user", range: 5...1_000_000,
      isAboutSecurity: true),
    Definition(
      "login.second-factor", .choice(SecondFactorRule.off.rawValue),
      "who must have a second factor at a login with a password; who has none begins one at the next",
      choices: SecondFactorRule.allCases.map(\.rawValue), isAboutSecurity: true),
    Definition(
      "login.issuer", .title(""), "the name that authenticator apps show; empty for the workspace's",
      isAboutSecurity: true),
    Definition(
      "password.strength", .number(2),
      "how much guessing a new password must withstand, from 0 (any) to 4; 2 refuses common ones", range: 0...4,
      isAboutSecurity: true),
    Definition(
      "password.length", .number(Int64(Limits.passwordCharacters.lowerBound)),
      "the fewest characters of a new password",
      range: Int64(Limits.passwordCharacters.lowerBound)...64, isAboutSecurity: true),
    Definition(
      "password.admin-sets-final", .flag(false),
      "passwords set by administrators need not be changed at the next login",
      isAboutSecurity: true),
    Definition("timer.notify-stopped", .flag(false), "a user whose timer somebody else stops gets a notice"),
    Definition(
      "session.ttl", .span(12 * 3_600_000), "the longest duration of a session", range: 1000...366 * TimeText.day,
      isAboutSecurity: true),
    Definition(
      "session.idle", .span(0), "how long a session lasts unused; 0 means no limit", range: 0...366 * TimeText.day,
      isAboutSecurity: true),
    Definition(
      "session.max", .number(0),
      "how many logins a user has at a time; for one more the least used one ends; 0 means no limit",
      range: 0...Int64(Limits.sessionsOfUser), isAboutSecurity: true),
    Definition(
      "apikey.ttl", .span(0), "the longest duration of an API key; 0 means no limit", range: 0...3660 * TimeText.day,
      isAboutSecurity: true),
    Definition(
      "impersonation.ttl", .span(15 * 60_000), "how long an impersonation lasts", range: 1000...60 * 60_000,
      isAboutSecurity: true),
    Definition(
      "approval.needs", .words([]), "what two people must agree on: permissions, separated by commas",
      choices: Permission.allCases.filter { $0.domain != .server }.map { "\($0.name)" }, isAboutSecurity: true),
    Definition(
      "undo.window", .span(7 * TimeText.day), "how long a delete, a merge or a bulk edit can be taken back",
      range: 0...366 * TimeText.day),
    Definition(
      "impersonation.notify", .choice("off"), "who is told of an impersonation: the person, the workspace's mailbox",
      choices: ["off", "person", "mailbox", "both"], isAboutSecurity: true),
    Definition(
      "impersonation.mailbox", .address(""), "the address that is told of impersonations", isAboutSecurity: true),
    Definition(
      "manager.notices", .words([]),
      "what managers are told of those whom their management links name, separated by commas",
      choices: ManagerNotice.allCases.map(\.rawValue), isAboutSecurity: true),
    Definition("mail.language", .language(Language.standard), "the language of mails to those who have chosen none"),
    Definition(
      "scim.groups", .choice("role"), "what the groups of SCIM are: roles of the workspace, or its account groups",
      choices: ["role", "group"], isAboutSecurity: true),
    Definition(
      "scim.profile", .choice("lenient"),
      "whether SCIM takes what identity providers really send, or only what its interoperability profile allows",
      choices: ["lenient", "strict"]),
    Definition(
      "scim.passwords", .flag(false), "SCIM sets passwords; otherwise it ignores them", isAboutSecurity: true),
    Definition(
      "timezone", .zone("UTC"), "the time zone of users who have none"),
  ]

  // The typed values that decisions read.
  public var keepsTracked = true
  public var deleteNeedsReason = true
  public var needsAuthority = false
  public var needsBillingAcceptance = false
  public var withinEmployment = false
  public var accountsNeedOwner = false
  public var accountsNeedEnterprise = false
  public var lockAfter: Int64 = 100
  public var secondFactor = SecondFactorRule.off
  public var issuer = ""
  public var passwordStrength: Int64 = 2
  public var passwordLength = Int64(Limits.passwordCharacters.lowerBound)
  public var adminSetsFinal = false
  public var notifiesStopped = false
  public var sessionTTL: Milliseconds = 12 * 3_600_000
  public var sessionIdle: Milliseconds = 0
  public var sessionMax: Int64 = 0
  public var apiKeyTTL: Milliseconds = 0
  public var impersonationTTL: Milliseconds = 15 * 60_000
  public var approvalNeeds: [String] = []
  public var undoWindow: Milliseconds = 7 * TimeText.day
  public var nameFormat = "first-last"
  public var requiredFields: [String] = []
  public var timezone = "UTC"
  public var scimGroups = "role"
  public var scimProfile = "lenient"
  public var scimPasswords = false
  public var language = Language.standard
  public var managerNotices: [String] = []
  public var impersonationMailbox = ""
  public var tellsImpersonated = false
  public var tellsMailbox = false

  /// The texts of policies that were set, by name.
  public private(set) var texts: [String: String] = [:]

  public init() {}

  /// The value of a policy as shown.
  public func text(of definition: Definition) -> String {
    texts[definition.name] ?? Self.show(definition.standard)
  }

  public static func definition(_ name: String) -> Definition? { all.first { $0.name == name } }

  /// The value of `text`, or nil if it is not valid for the policy.
  public static func parse(_ text: String, for definition: Definition) -> Value? {
    switch definition.standard {
    case .flag:
      switch text.folded {
      case "on", "1", "yes", "true": return .flag(true)
      case "off", "0", "no", "false": return .flag(false)
      default: return nil
      }
    case .number:
      return Int64(text).flatMap { definition.range.contains($0) ? .number($0) : nil }
    case .span:
      return TimeText.duration(text).flatMap { definition.range.contains($0) ? .span($0) : nil }
    case .choice:
      return definition.choices.contains(text.folded) ? .choice(text.folded) : nil
    case .words:
      let words = text.folded.split(separator: ",").map(String.init)
      return words.allSatisfy(definition.choices.contains) ? .words(words) : nil
    case .zone:
      return EntityNames.isZone(text) ? .zone(text) : nil
    case .address:
      return text.isEmpty || EntityNames.isEmail(text) ? .address(text) : nil
    case .language:
      return Language.named(text).map { .language($0) }
    case .title:
      return text.utf8.count <= Limits.nameBytes ? .title(text) : nil
    }
  }

  public static func show(_ value: Value) -> String {
    switch value {
    case .flag(let on): on ? "on" : "off"
    case .number(let number): String(number)
    case .span(let span): String(span)
    case .choice(let word): word
    case .words(let words): words.joined(separator: ",")
    case .zone(let text), .address(let text), .language(let text), .title(let text): text
    }
  }

  /// What `parse` accepts, for an error message.
  public static func expectation(for definition: Definition) -> String {
    switch definition.standard {
    case .flag: "on or off"
    case .number: "a number from \(definition.range.lowerBound) to \(definition.range.upperBound)"
    case .span: "a duration such as 15m, from \(definition.range.lowerBound) to \(definition.range.upperBound) ms"
    case .choice: "one of \(definition.choices.joined(separator: ", "))"
    case .words: "a comma-separated list of \(definition.choices.joined(separator: ", "))"
    case .zone: "the name of a time zone such as Europe/Prague"
    case .address: "an e-mail address, or empty for none"
    case .language: "a language tag such as en or pt-br"
    case .title: "a name of at most \(Limits.nameBytes) bytes, or empty"
    }
  }

  /// Sets a policy to a text that `parse` accepts.
  public mutating func set(_ name: String, _ text: String) {
    guard let definition = Self.definition(name), let value = Self.parse(text, for: definition) else {
      // A policy of a newer version: it has no effect here, but is kept for when that version runs again.
      texts[name] = text
      return
    }
    texts[name] = Self.show(value)
    switch (name, value) {
    case ("delete.keep-tracked", .flag(let on)): keepsTracked = on
    case ("delete.needs-reason", .flag(let on)): deleteNeedsReason = on
    case ("user.needs-authority", .flag(let on)): needsAuthority = on
    case ("user.needs-billing-acceptance", .flag(let on)): needsBillingAcceptance = on
    case ("login.within-employment", .flag(let on)): withinEmployment = on
    case ("accounts.needs-owner", .flag(let on)): accountsNeedOwner = on
    case ("accounts.needs-enterprise", .flag(let on)): accountsNeedEnterprise = on
    case ("login.lock-after", .number(let number)): lockAfter = number
    case ("login.second-factor", .choice(let word)): secondFactor = SecondFactorRule(rawValue: word) ?? .off
    case ("login.issuer", .title(let text)): issuer = text
    case ("password.strength", .number(let number)): passwordStrength = number
    case ("password.length", .number(let number)): passwordLength = number
    case ("password.admin-sets-final", .flag(let on)): adminSetsFinal = on
    case ("timer.notify-stopped", .flag(let on)): notifiesStopped = on
    case ("session.ttl", .span(let span)): sessionTTL = span
    case ("session.idle", .span(let span)): sessionIdle = span
    case ("session.max", .number(let number)): sessionMax = number
    case ("apikey.ttl", .span(let span)): apiKeyTTL = span
    case ("impersonation.ttl", .span(let span)): impersonationTTL = span
    case ("approval.needs", .words(let words)): approvalNeeds = words
    case ("undo.window", .span(let span)): undoWindow = span
    case ("contact.name-format", .choice(let word)): nameFormat = word
    case ("user.required-fields", .words(let words)): requiredFields = words
    case ("timezone", .zone(let name)): timezone = name
    case ("scim.groups", .choice(let word)): scimGroups = word
    case ("scim.profile", .choice(let word)): scimProfile = word
    case ("scim.passwords", .flag(let on)): scimPasswords = on
    case ("impersonation.notify", .choice(let word)):
      tellsImpersonated = word == "person" || word == "both"
      tellsMailbox = word == "mailbox" || word == "both"
    case ("manager.notices", .words(let words)): managerNotices = words
    case ("impersonation.mailbox", .address(let address)): impersonationMailbox = address
    case ("mail.language", .language(let tag)): language = tag
    default: preconditionFailure("the policy \(name) has no typed value")
    }
  }

  /// The policies of each product that Gatehouse can replace, by profile name.
  public static let profiles: [String: [(name: String, value: String)]] = [
    "actitime": [
      ("delete.keep-tracked", "on"), ("delete.needs-reason", "off"),
    ],
    "actionstep": [
      ("delete.keep-tracked", "off"), ("delete.needs-reason", "on"), ("user.needs-authority", "on"),
      ("user.needs-billing-acceptance", "on"),
      ("user.required-fields", "email,initials,reference,role,division"),
    ],
    "aptien": [
      ("delete.keep-tracked", "off"), ("delete.needs-reason", "off"),
    ],
    "accessplanit": [
      ("delete.keep-tracked", "off"), ("delete.needs-reason", "off"),
      ("manager.notices", ManagerNotice.allCases.map(\.rawValue).joined(separator: ",")),
    ],
    "clockify": [
      ("delete.keep-tracked", "off"), ("delete.needs-reason", "off"), ("accounts.needs-owner", "on"),
      ("accounts.needs-enterprise", "on"), ("timer.notify-stopped", "off"),
    ],
  ]
}

/// Who must have a second factor.
public enum SecondFactorRule: String, Sendable, CaseIterable {
  case off, administrators, all
}
