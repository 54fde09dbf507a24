import GatehouseTestSupport
import Testing

@testable import GatehouseCore

/// L6: what the log says of people is sealed, and reads as nothing once their keys are destroyed.
@Suite struct SealedChangeTests {
  private static let sealed = ChangeSamples.all.filter { $0.change.sealing != nil }

  private func encoded(_ change: any Change, _ seals: HarnessSeals) -> ContiguousArray<UInt8> {
    var writer = ByteWriter()
    writer.seals = seals
    change.carried.encode(into: &writer)
    return writer.bytes
  }

  private func decoded(
    _ bytes: ContiguousArray<UInt8>, _ seals: HarnessSeals?, skipping isSkipping: Bool = false
  ) throws -> AnyChange {
    try bytes.withUnsafeBytes { raw in
      var reader = ByteReader(raw)
      let change = try AnyChange(from: &reader, seals)
      #expect(reader.isAtEnd && reader.hasSkipped == isSkipping)
      return change
    }
  }

  @Test("the kinds that say something of people are sealed, and no others") func whichAreSealed() {
    let names = Set(Self.sealed.map { type(of: $0.change).name })
    #expect(
      names == [
        "contact-created", "contact-set", "contact-deleted", "field-set", "user-created", "user-set", "provisioned-set",
        "user-renamed", "username-regained",
        "user-purged",
        "password-set", "session-opened", "session-origin-told", "mail-queued", "mail-failed", "approval-requested",
        "answer-kept",
        "apikey-created", "second-factor-begun", "challenge-issued",
        "webhook-created", "webhook-set", "webhook-rotated",
      ])
  }

  @Test("what is sealed is read as it was", arguments: sealed.map(\.name)) func roundTrip(_ name: String) throws {
    let change = try #require(Self.sealed.first { $0.name == name }).change
    let seals = HarnessSeals()
    #expect(try decoded(encoded(change, seals), seals) == change.carried)
    // The form without seals is that of earlier versions, and is read as well.
    var plain = ByteWriter()
    change.carried.encode(into: &plain)
    #expect(try decoded(plain.bytes, seals) == change.carried)
  }

  @Test("no text stands in the bytes; without its keys, none is read", arguments: sealed.map(\.name))
  func nothingIsLeft(_ name: String) throws {
    let change = try #require(Self.sealed.first { $0.name == name }).change
    let seals = HarnessSeals()
    let bytes = encoded(change, seals)
    guard bytes[0] == SealedChange.code else { return }
    var collector = TextCollector()
    var visited = change
    visited.visit(&collector)
    #expect(!collector.hidden.isEmpty)
    for text in collector.hidden where text.count > 3 {
      #expect(!bytes.contains(text), "\(String(decoding: text, as: UTF8.self)) stands in the bytes")
    }
    seals.destroy(try #require(change.sealing).keys)
    let read = try decoded(bytes, seals)
    var left = TextCollector()
    var known = try #require(read.known)
    known.visit(&left)
    #expect(left.hidden.filter { $0.count > 3 }.allSatisfy { !collector.hidden.contains($0) })
    #expect(known.sealing == change.sealing, "whose it was is still known")
    #expect(type(of: known) == type(of: change))
  }

  /// The texts that stay readable. Whoever adds one says here why it tells nothing of a person.
  private static let readable = [
    // Names and settings of organisations, products and services, and facts of the server.
    "account-created ", "account-set ", "encryption-changed master", "field-defined ", "field-defined choices",
    "group-created ", "group-renamed name", "log-archived hash", "mail-template-set template.body",
    "mail-template-set template.subject", "pool-set type", "product-created ", "role-defined ", "role-labelled label",
    "seats-low type", "service-certificate-set certificate", "webhook-paused pause", "webhook-progressed last-error",
    "workspace-created ", "workspace-created plan", "workspace-set ", "field-dropped choices", "role-dropped label",
    "role-dropped external-id", "service-deleted certificate",
    // What was done and why, which the record goes on telling (`SealedChange`).
    "approval-decided approval-reason", "approval-decided command", "approval-decided reason",
    "entry-added content.note", "entry-added content.project", "entry-corrected content.note",
    "entry-corrected content.project", "entry-deleted content.note", "entry-deleted content.project",
    "link-added content.attributes.name", "link-added content.status",
    "link-added ref", "link-removed content.attributes.name", "link-removed content.status",
    "link-set content.attributes.name", "link-set content.status", "session-opened impersonation.reason",
    "timer-started project",
  ]

  @Test("L6: whatever else stands in the bytes of a change is no text of a person") func everyText() {
    var found: Set<String> = []
    for (_, change) in ChangeSamples.all {
      let bytes = encoded(change, HarnessSeals())
      var collector = EveryText()
      var visited = change
      visited.visit(&collector)
      for (field, text) in collector.texts where text.utf8.count > 3 && bytes.contains(Array(text.utf8)) {
        found.insert("\(type(of: change).name) \(field)")
      }
    }
    #expect(found == Set(Self.readable), "\(found.symmetricDifference(Self.readable).sorted())")
  }

  @Test("a sealed change is not read without keys, and not under another's") func bound() throws {
    let change = ContactSet(ContactID(raw: 9), .email, old: "", new: "eva@acme.test")
    let seals = HarnessSeals()
    var bytes = encoded(change, seals)
    #expect(throws: CodingError.self) { try decoded(bytes, nil) }
    // The id stands in the clear part, which is bound to what is sealed.
    let place = try #require(bytes.lastIndex(of: 9))
    bytes[place] = 8
    #expect(throws: CodingError.self) { try decoded(bytes, seals) }
  }

  @Test("flags of a login are not personal: they stay when its keys are destroyed") func flagsStay() throws {
    let user = UserID(raw: 5)
    let created = UserCreated(
      user: user, contact: ContactID(raw: 5), username: "eva", status: .active, workspaces: [1],
      fields: [UserText(.initials, "EV"), UserText(.authority, "1")])
    let seals = HarnessSeals()
    let bytes = encoded(created, seals)
    seals.destroy([.user(user)])
    let read = try #require(try decoded(bytes, seals).as(UserCreated.self))
    #expect(read.username == "anonymous-5")
    #expect(read.fields == [UserText(.initials, "(anonymised)"), UserText(.authority, "1")])
    // A change of a flag has nothing to hide.
    let set = UserSet(user, .restrictBookings, old: "0", new: "1")
    #expect(encoded(set, HarnessSeals())[0] == UserSet.code || encoded(set, HarnessSeals())[0] == SealedChange.code)
    #expect(try decoded(encoded(set, HarnessSeals()), seals).as(UserSet.self)?.new == "1")
  }

  @Test("what is said of somebody after they were forgotten is plain") func afterwards() throws {
    let change = UserRenamed(UserID(raw: 5), old: "anonymous-5", new: "x")
    let seals = HarnessSeals(without: [.user(UserID(raw: 5))])
    #expect(encoded(change, seals)[0] == UserRenamed.code)
    #expect(try decoded(encoded(change, seals), seals) == change.carried)
  }

  @Test(
    "L6: what is about several people of whom one was forgotten is sealed for the others, and goes with them",
    arguments: ["mail-queued/others", "mail-failed/others", "answer-kept/people"])
  func besidesTheForgotten(_ name: String) throws {
    let change = try #require(Self.sealed.first { $0.name == name }).change
    let keys = try #require(change.sealing).keys
    #expect(keys.count > 1)
    var collector = TextCollector()
    var visited = change
    visited.visit(&collector)
    for forgotten in keys {
      let seals = HarnessSeals(without: [forgotten])
      let bytes = encoded(change, seals)
      #expect(bytes[0] == SealedChange.code)
      for text in collector.hidden where text.count > 3 {
        #expect(!bytes.contains(text), "\(String(decoding: text, as: UTF8.self)) stands in the bytes")
      }
      #expect(try decoded(bytes, seals) == change.carried)
      seals.destroy(keys)
      var left = TextCollector()
      var known = try #require(try decoded(bytes, seals).known)
      known.visit(&left)
      #expect(left.hidden.filter { $0.count > 3 }.allSatisfy { !collector.hidden.contains($0) })
    }
  }

  @Test("a sealed change of an unknown kind is stepped over, unless it is critical") func unknownKind() throws {
    let seals = HarnessSeals()
    var bytes = encoded(MailFailed(ChangeSamples.mail, "no such mailbox", next: nil), seals)
    let place = try #require(bytes.firstIndex(of: MailFailed.code))
    bytes[place] = 254
    #expect(throws: CodingError.self) { try decoded(bytes, seals) }
    bytes[1] &= ~1
    let read = try decoded(bytes, seals, skipping: true)
    // It is shown like one that is not sealed, by the kind within.
    #expect("\(ChangeText(read))" == "unknown-254 a newer version")
    var written = ByteWriter()
    read.encode(into: &written)
    #expect(written.bytes == bytes, "what is not understood is not lost")
  }
}

/// All texts of a change, with the names of their fields, however deep in their values they are.
private struct EveryText: FieldVisitor {
  typealias Failure = Never

  var texts: [(field: String, text: String)] = []
  private var name = ""

  mutating func value<Form: FieldForm>(_ value: inout Form.Value, as form: Form.Type) { collect(value) }

  mutating func field<Form: FieldForm>(_ name: String, _ value: inout Form.Value, as form: Form.Type) {
    self.name = name
    collect(value)
    self.name = ""
  }

  mutating func removed<Form: FieldForm>(_ name: String, _ value: inout Form.Value, as form: Form.Type) {
    field(name, &value, as: form)
  }

  mutating func change<Form: FieldForm>(
    _ name: String, old: inout Form.Value, new: inout Form.Value, as form: Form.Type
  ) {
    field(name, &old, as: form)
    field(name, &new, as: form)
  }

  mutating func later() {}

  private mutating func collect(_ value: Any) {
    if let reply = value as? Reply {
      for node in reply.nodes where node.kind == .text { texts.append((name, String(reply.text(of: node)))) }
    } else if let text = value as? String {
      texts.append((name, text))
    } else {
      for child in Mirror(reflecting: value).children {
        let outer = name
        if let label = child.label, !label.hasPrefix("."), label != "some" {
          name = outer.isEmpty ? label : "\(outer).\(label)"
        }
        collect(child.value)
        name = outer
      }
    }
  }
}

/// The texts and secrets of a change.
private struct TextCollector: FieldVisitor {
  typealias Failure = Never

  var hidden: [[UInt8]] = []

  mutating func value<Form: FieldForm>(_ value: inout Form.Value, as form: Form.Type) {
    if let text = value as? String { add(text) }
    for text in value as? [String] ?? [] { add(text) }
    for text in value as? [ContactText] ?? [] { add(text.text) }
    for text in value as? [UserText] ?? [] where text.field.flag == nil { add(text.text) }
    for text in value as? [FieldText<MailFact>] ?? [] { add(text.text) }
    if let reply = value as? Reply {
      for node in reply.nodes where node.kind == .text { add(reply.text(of: node)) }
    }
    if let impersonation = value as? Impersonation { add(impersonation.actorName) }
    if let wish = value as? SessionWish {
      add(wish.origin.address)
      add(wish.origin.agent)
    }
    if let secret = value as? WebhookSecret, !secret.bytes.isEmpty { hidden.append(secret.bytes) }
    if let secret = value as? TimeSecret { hidden.append(secret.withBytes { Array($0) }) }
  }

  private mutating func add(_ text: some StringProtocol) {
    if !text.isEmpty, text != ClearedPeople.mark { hidden.append(Array(text.utf8)) }
  }

  mutating func later() {}
}

extension ContiguousArray<UInt8> {
  /// Whether some bytes stand in these.
  func contains(_ wanted: [UInt8]) -> Bool {
    guard count >= wanted.count else { return false }
    return (0...(count - wanted.count)).contains { self[$0..<($0 + wanted.count)].elementsEqual(wanted) }
  }
}
