import Foundation
import GatehouseTestSupport
import Testing

@testable import GatehouseCore

/// The bytes of changes and records, which every later version must read.
@Suite struct ChangeCodingTests {
  /// A line of `Golden/changes.txt`.
  private struct Golden {
    let first: String
    let second: String
    let text: String
  }

  private static let golden: [String: Golden] = {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Golden/changes.txt")
    let text = (try? String(contentsOf: path, encoding: .utf8)) ?? ""
    let lines = text.split(separator: "\n").filter { !$0.hasPrefix("#") }
    return Dictionary(
      uniqueKeysWithValues: lines.map { line in
        let parts = line.split(separator: "|", maxSplits: 3).map(String.init)
        return (parts[0], Golden(first: parts[1], second: parts[2], text: parts[3]))
      })
  }()

  private func encoded(_ change: AnyChange) -> ContiguousArray<UInt8> {
    var writer = ByteWriter()
    change.encode(into: &writer)
    return writer.bytes
  }

  private func read<T>(
    _ bytes: [UInt8], _ body: (inout ByteReader) throws(CodingError) -> T
  ) throws -> (value: T, isAtEnd: Bool) {
    try bytes.withUnsafeBytes { raw in
      var reader = ByteReader(raw)
      return (try body(&reader), reader.isAtEnd)
    }
  }

  /// Whether nothing of a change is skipped.
  private func isWhole(_ bytes: [UInt8]) throws -> Bool {
    try read(bytes) { (reader) throws(CodingError) in
      _ = try AnyChange(from: &reader)
      return !reader.hasSkipped
    }.value
  }

  @Test func everyKindHasGoldenBytes() {
    let sampled = Set(ChangeSamples.all.map { $0.name.prefix { $0 != "/" } })
    #expect(Set(ChangeTable.kinds.map { $0.name[...] }) == sampled, "a kind without a sample, or with another's name")
    #expect(Set(ChangeSamples.all.map(\.name)) == Set(Self.golden.keys), "a sample without golden bytes")
  }

  @Test(arguments: ChangeSamples.all.map(\.name))
  func goldenBytes(_ name: String) throws {
    let change = try #require(ChangeSamples.all.first { $0.name == name }).change.carried
    let golden = try #require(
      Self.golden[name], "add: \(name)|-|\(Hexadecimal.text(encoded(change)))|\(ChangeText(change))")
    #expect(Hexadecimal.text(encoded(change)) == golden.second)
    #expect("\(ChangeText(change))" == golden.text)
    let second = try read(Hexadecimal.bytes(golden.second)) { (reader) throws(CodingError) in
      try AnyChange(from: &reader)
    }
    #expect(second.value == change && second.isAtEnd)
    #expect(try isWhole(Hexadecimal.bytes(golden.second)))
    if golden.first != "-" {
      let first = try read(Hexadecimal.bytes(golden.first)) { (reader) throws(CodingError) in
        try AnyChange(fromFirstVersion: &reader)
      }
      #expect(first.value == change && first.isAtEnd)
    }
  }

  /// Changes as they were written before they had their last fields.
  static let former: [(name: String, bytes: String)] = [
    (
      "session-opened",
      "14678380808020830608070605040302011817161514131211282726252423222138373635343332310301"
        + "80fa818a9567880e0000"
    ),
    (
      "session-opened/impersonation",
      "14810183808080208306080706050403020118171615141312112827262524232221383736353433323100"
        + "ac0280fa818a9567000101820103746f6d8205046c6f6f6b"
    ),
    (
      "answer-kept",
      "3ccf01030807060504030201181716151413121128272625242322213837363534333231000000000000000000"
        + "00000000000000000000000000000000000000000000000a080103026964020906090467735f7801014500024f"
        + "4b0580808080808080f87f0702040176"
    ),
    (
      "answer-kept",
      "3cd3010308070605040302011817161514131211282726252423222138373635343332310000000000000000"
        + "0000000000000000000000000000000000000000000000000a080103026964020906090467735f7801014500"
        + "024f4b0580808080808080f87f07020401760000"
    ),
    (
      "answer-kept",
      "3cd5010308070605040302011817161514131211282726252423222138373635343332310000000000000000"
        + "0000000000000000000000000000000000000000000000000a080103026964020906090467735f7801014500"
        + "024f4b0580808080808080f87f0702040176000000"
    ),
    (
      "answer-kept/until",
      "3cdf010308070605040302011817161514131211282726252423222138373635343332310000000000000000"
        + "0000000000000000000000000000000000000000000000000a080103026964020906090467735f7801014500"
        + "024f4b0580808080808080f87f07020401760080fa818a956700"
    ),
    (
      "answer-kept/people",
      "3ceb010308070605040302011817161514131211282726252423222138373635343332310000000000000000"
        + "0000000000000000000000000000000000000000000000000a080103026964020906090467735f7801014500"
        + "024f4b0580808080808080f87f07020401760080fa818a956702018303028306"
    ),
    (
      "mail-queued",
      "0c3343830602086140622e746573740668696464656e0000000000"
    ),
    (
      "mail-failed",
      "5c294302086e6f20726f75746501c0a3898a95678306"
    ),
    (
      "approval-decided",
      "1d3783048608ac02010b555345522e44454c455445046c656674018708"
    ),
    (
      "approval-requested",
      "1ca1018304830686080b757365722e64656c657465ac0280fa818a9567046c656674040b555345522e44454c45"
        + "544503616e6106524541534f4e046c6566740002078080808080808080800101830601830301"
    ),
    ("contact-deleted", "10058303"), ("account-deleted", "350705ac02"), ("group-deleted", "380707ac02"),
    ("field-dropped", "320707ac02"), ("role-dropped", "30051002"), ("service-deleted", "2d0301"),
    ("entry-deleted", "220983088306"), ("webhook-deleted", "910d02010363726d"),
    (
      "password-set",
      "645b830628246172676f6e32696424763d3139246d3d382c743d312c703d3124633246736441246147467a61410103"
    ),
  ]

  @Test(arguments: former.indices) func formerBytesAreRead(_ index: Int) throws {
    let (name, bytes) = Self.former[index]
    let sample = try #require(ChangeSamples.all.first { $0.name == name }).change.carried
    let found = try read(Hexadecimal.bytes(bytes)) { (reader) throws(CodingError) in try AnyChange(from: &reader) }
    #expect(found.value == sample && found.isAtEnd)
    #expect(try isWhole(Hexadecimal.bytes(bytes)))
  }

  /// Some kinds have handwritten owners, which must equal those of their fields.
  @Test(arguments: ChangeSamples.all.map(\.name), [1, 4, 64])
  func ownersAreThoseThatTheFieldsName(_ name: String, partitions: Int) throws {
    let change = try #require(ChangeSamples.all.first { $0.name == name }).change
    let partitioning = Partitioning(count: partitions, key: HashKey(low: 1, high: 2))
    var said: [Int] = []
    var named: [Int] = []
    change.owners(partitioning).forEach { said.append($0) }
    change.visitedOwners(partitioning).forEach { named.append($0) }
    #expect(said == named)
  }

  // MARK: Records

  /// Two changes, as version 0.1.0 wrote them.
  private static let firstRecord =
    "010780fa818a95670282018306070b555345522e535441545553037768790206830601071483808080208306080706050403020118"
    + "1716151413121128272625242322213837363534333231" + "00ac0280fa818a9567000101820103746f6d8205046c6f6f6b"

  @Test func recordsOfTheFirstVersionStayReadable() throws {
    let read = try read(Hexadecimal.bytes(Self.firstRecord)) { (reader) throws(CodingError) in
      try Record(from: &reader)
    }
    let names = ["status-set", "session-opened/impersonation"]
    let changes = names.compactMap { name in ChangeSamples.all.first { $0.name == name }?.change.carried }
    #expect(read.value == Record(header: ChangeSamples.header(), changes: changes))
    #expect(read.isAtEnd)
  }

  private static let wholeRecord = Record(
    RecordPart(header: ChangeSamples.header(), changes: ChangeSamples.all.map(\.change.carried)),
    others: [
      RecordPart(header: ChangeSamples.header("TIMER.START", reason: ""), changes: [TimerStopped().carried]),
      RecordPart(header: ChangeSamples.header("SESSION.REVOKE"), changes: []),
    ])

  private static var wholeBytes: [UInt8] {
    var writer = ByteWriter()
    wholeRecord.encode(into: &writer)
    return Array(writer.bytes)
  }

  @Test func aRecordOfSeveralCommandsSurvivesCoding() throws {
    let read = try read(Self.wholeBytes) { (reader) throws(CodingError) in try Record(from: &reader) }
    #expect(read.value == Self.wholeRecord && read.isAtEnd)
    var keys: [UInt64] = []
    let time = Self.wholeBytes.withUnsafeBytes { RecordKey.find(in: $0, nil, &keys) }
    #expect(time == UInt64(ChangeSamples.time))
    for key in [
      RecordKey.of(ChangeSamples.user), RecordKey.ofActor(UserID(raw: 130)), RecordKey.of(.workspace, 300),
      RecordKey.of(.product, 3), RecordKey.of(.service, 2),
    ] { #expect(keys.contains(key)) }
  }

  /// A trail about a user skips records that lack the user's mark, so whatever has the key must have the mark.
  @Test(arguments: ChangeSamples.all.map(\.name))
  func whoeverIsNamedLeavesTheMarkOfTheKey(_ name: String) throws {
    let change = try #require(ChangeSamples.all.first { $0.name == name }).change.carried
    var writer = ByteWriter()
    Record(header: ChangeSamples.header(), changes: [change]).encode(into: &writer)
    let bytes = Array(writer.bytes)
    var keys: [UInt64] = []
    _ = bytes.withUnsafeBytes { RecordKey.find(in: $0, nil, &keys) }
    for key in keys {
      guard let mark = RecordKey.mark(of: key) else { continue }
      #expect(bytes.indices.contains { bytes[$0...].starts(with: mark) }, "key \(key)")
    }
  }

  // MARK: Other versions

  private func record(_ change: [UInt8]) throws -> Record {
    var writer = ByteWriter()
    Record.encode(ChangeSamples.header(), [], into: &writer)
    return try read(writer.bytes.dropLast() + [1] + change) { (reader) throws(CodingError) in
      try Record(from: &reader)
    }.value
  }

  @Test func anUnknownChangeIsSkippedUnlessItIsCritical() throws {
    let read = try record([250, 3 << 1, 1, 2, 3])
    #expect(read.first.changes == [.unknown(UnknownChange(code: 250, payload: [1, 2, 3]))])
    #expect("\(ChangeText(read.first.changes[0]))" == "unknown-250 a newer version")
    #expect(!read.isWhole)
    var written = ByteWriter()
    read.first.changes[0].encode(into: &written)
    #expect(written.bytes == [250, 6, 1, 2, 3], "what is not understood is not lost")
    let error = #expect(throws: CodingError.self) { try record([250, 3 << 1 | 1, 1, 2, 3]) }
    #expect(error?.what == "a change of kind 250 from a newer version of Gatehouse")
  }

  /// A status with a field that a later version added.
  private struct Extended {
    var user = UserID.none
    var old = Status.active
    var new = Status.active
    var note = "none"

    mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
      try visitor.subject(&user, as: UserForm.self)
      try visitor.change("status", old: &old, new: &new, as: ChoiceForm<Status>.self)
      try visitor.later()
      try visitor.field("note", &note, as: TextForm.self)
    }
  }

  @Test func fieldsOfLaterVersionsAreSkippedOrDefaulted() throws {
    var extended = Extended(user: ChangeSamples.user, old: .active, new: .locked, note: "late")
    var writer = ByteWriter()
    writer.byte(StatusSet.code)
    let start = writer.beginBlock()
    extended.visit(&writer)
    writer.endBlock(start, flag: true)
    let older = StatusSet(ChangeSamples.user, old: .active, new: .locked).carried
    let skipping = try record(Array(writer.bytes))
    #expect(skipping.first.changes == [older] && !skipping.isWhole)
    #expect(try record(Array(encoded(older))).isWhole)

    for extent in [FieldDecoder.Extent.bounded, .firstVersion] {
      let fields = Array(encoded(older).dropFirst(2)) + (extent == .bounded ? [] : [9, 9])
      let read = try read(fields) { (reader) throws(CodingError) in
        var decoder = FieldDecoder(reader, extent)
        var change = Extended()
        try change.visit(&decoder)
        reader = decoder.reader
        return change
      }
      #expect(read.value.new == .locked && read.value.note == "none")
    }
  }

  @Test func aTruncatedFieldIsAnError() {
    #expect(throws: CodingError.self) { try record([StatusSet.code, 3 << 1 | 1, 1, 1, 1][...].dropLast().map { $0 }) }
    #expect(throws: CodingError.self) { try record([StatusSet.code, 2 << 1 | 1, 1, 1]) }
  }

  // MARK: Fuzzing

  /// Reading any bytes ends with a record or an error.
  @Test func fuzzedRecordsNeverStopTheProgram() {
    var random = SeededRandom(seed: 20)
    let whole = Self.wholeBytes
    var differing = 0
    for round in 0..<10_000 {
      var bytes = whole
      if round % 3 == 0 { bytes = Array(bytes.prefix(Int.random(in: 0..<bytes.count, using: &random))) }
      for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      if round % 2 == 0, !bytes.isEmpty { bytes[0] = UInt8(1 + round / 2 % 2) }
      bytes.withUnsafeBytes { raw in
        var reader = ByteReader(raw)
        guard let record = try? Record(from: &reader) else { return }
        var keys: [UInt64] = []
        _ = RecordKey.find(in: raw, nil, &keys)
        if keys != record.parts.flatMap(\.keys) { differing += 1 }
        record.forEachPart { part in for text in part.changeTexts() { _ = text.description } }
      }
    }
    #expect(differing == 0, "keys that are found without reading the record are others than those of what is read")
  }
}
