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

  private func decoded(_ bytes: ContiguousArray<UInt8>, _ seals: HarnessSeals?) throws -> AnyChange {
    try bytes.withUnsafeBytes { raw in
      var reader = ByteReader(raw)
      let change = try AnyChange(from: &reader, seals)
      #expect(reader.isAtEnd)
      return change
    }
  }

  @Test("the kinds that say something of people are sealed, and no others") func whichAreSealed() {
    let names = Set(Self.sealed.map { type(of: $0.change).name })
    #expect(
      names == [
        "contact-created", "contact-set", "field-set", "user-created", "user-set", "user-renamed", "user-purged",
        "password-set", "session-origin-told", "mail-queued", "mail-failed", "approval-requested", "answer-kept", "apikey-created",
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
    #expect(!collector.texts.isEmpty)
    for text in collector.texts where text.utf8.count > 3 {
      #expect(!bytes.contains(text), "\(text) stands in the bytes")
    }
    seals.destroy(try #require(change.sealing).keys)
    let read = try decoded(bytes, seals)
    var left = TextCollector()
    var known = try #require(read.known)
    known.visit(&left)
    #expect(left.texts.filter { $0.utf8.count > 3 }.allSatisfy { !collector.texts.contains($0) })
    #expect(known.sealing == change.sealing, "whose it was is still known")
    #expect(type(of: known) == type(of: change))
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

  @Test("a sealed change of an unknown kind is stepped over, unless it is critical") func unknownKind() throws {
    let seals = HarnessSeals()
    var bytes = encoded(MailFailed(ChangeSamples.mail, "no such mailbox", next: nil), seals)
    let place = try #require(bytes.firstIndex(of: MailFailed.code))
    bytes[place] = 254
    #expect(throws: CodingError.self) { try decoded(bytes, seals) }
    bytes[1] &= ~1
    let read = try decoded(bytes, seals)
    var unknown: UnknownChange?
    if case .unknown(let change) = read { unknown = change }
    #expect(unknown?.code == SealedChange.code)
  }
}

/// The texts of a change.
private struct TextCollector: FieldVisitor {
  typealias Failure = Never

  var texts: [String] = []

  mutating func value<Form: FieldForm>(_ value: inout Form.Value, as form: Form.Type) {
    if let text = value as? String { texts.append(text) }
    if let list = value as? [String] { texts += list }
    if let list = value as? [ContactText] { texts += list.map(\.text) }
    if let list = value as? [UserText] { texts += list.filter { $0.field.flag == nil }.map(\.text) }
    if let list = value as? [FieldText<MailFact>] { texts += list.map(\.text) }
    if let reply = value as? Reply { texts += reply.nodes.filter { $0.kind == .text }.map { reply.text(of: $0) } }
    texts = texts.filter { !$0.isEmpty && $0 != ClearedPeople.mark }
  }

  mutating func later() {}
}

extension ContiguousArray<UInt8> {
  /// Whether a text stands in the bytes.
  func contains(_ text: String) -> Bool {
    let wanted = Array(text.utf8)
    guard count >= wanted.count else { return false }
    return (0...(count - wanted.count)).contains { self[$0..<($0 + wanted.count)].elementsEqual(wanted) }
  }
}
