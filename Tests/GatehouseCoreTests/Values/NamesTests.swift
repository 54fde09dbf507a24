import Testing

@testable import GatehouseCore

@Suite struct NamesTests {
  /// The folded forms by Python: `normalize("NFC", normalize("NFD", name).casefold())`.
  @Test(arguments: [
    ("Ana", "ana"), ("ANA@ACME.TEST", "ana@acme.test"), ("", ""), ("[\\]^_`{|}~@Z", "[\\]^_`{|}~@z"),
    ("Zo\u{45}\u{308}", "zo\u{eb}"), ("ZO\u{cb}", "zo\u{eb}"), ("\u{d6}mer", "\u{f6}mer"), ("O\u{308}MER", "\u{f6}mer"),
    ("STRASSE", "strasse"), ("Stra\u{df}e", "strasse"), ("STRA\u{1e9e}E", "strasse"),
    ("\u{391}\u{3a3}A", "\u{3b1}\u{3c3}a"), ("\u{3b1}\u{3c2}", "\u{3b1}\u{3c3}"),
    ("\u{418}\u{412}\u{410}\u{41d}", "\u{438}\u{432}\u{430}\u{43d}"), ("\u{1e9b}\u{323}", "\u{1e69}"),
    ("\u{212b}", "\u{e5}"), ("\u{ac00}", "\u{ac00}"), ("\u{1100}\u{1161}", "\u{ac00}"),
    ("\u{1100}\u{1161}\u{11a8}", "\u{ac01}"), ("\u{ac00}\u{11a8}", "\u{ac01}"), ("\u{212a}", "k"),
    ("a\u{323}\u{307}", "\u{1ea1}\u{307}"), ("a\u{307}\u{323}", "\u{1ea1}\u{307}"), ("\u{1F600}X", "\u{1F600}x"),
    ("\u{17f}", "s"), ("\u{fb01}", "fi"), ("\u{b5}", "\u{3bc}"), ("\u{149}", "\u{2bc}n"),
    ("\u{1fb3}", "\u{3b1}\u{3b9}"),
    ("\u{3b1}\u{345}\u{301}", "\u{3ac}\u{3b9}"), ("\u{390}", "\u{390}"), ("\u{130}", "i\u{307}"),
    ("\u{13a0}", "\u{13a0}"), ("\u{ab70}", "\u{13a0}"), ("\u{1e900}", "\u{1e922}"), ("\u{958}", "\u{915}\u{93c}"),
  ])
  func foldsAsUnicodeSays(_ name: String, _ folded: String) {
    #expect(Array(FoldedName(name).text.utf8) == Array(folded.utf8))
    var name = name
    let bytes = name.withUTF8 { FoldedName.withFolded(UnsafeRawBufferPointer($0)) { Array($0) } }
    #expect(bytes == Array(folded.utf8))
  }

  @Test func bytesAreComparedWhole() {
    for length in 0..<40 {
      let one = (0..<length).map { UInt8($0) }
      one.withUnsafeBytes { a in
        #expect(sameBytes(a, UnsafeRawBufferPointer(a)))
        for index in 0..<length {
          var other = one
          other[index] ^= 1
          other.withUnsafeBytes { #expect(!sameBytes(a, $0)) }
        }
        if length > 0 { #expect(!sameBytes(a, UnsafeRawBufferPointer(rebasing: a[1...]))) }
      }
    }
  }

  /// The values of an implementation in another language for 1-3 rounds, key 00…0f, for the texts 00, 00 01, ….
  @Test func hashIsSipHash13() {
    let expected: [UInt64] = [
      0xabac_0158_050f_c4dc, 0xc9f4_9bf3_7d57_ca93, 0x82cb_9b02_4dc7_d44d, 0x8bf8_0ab8_e7dd_f7fb,
      0xcf75_5760_88d3_8328, 0xdef9_d52f_4953_3b67, 0xc50d_2b50_c59f_22a7, 0xd392_7d98_9bb1_1140,
      0x3690_9511_8d29_9a8e,
    ]
    let key = HashKey(low: 0x0706_0504_0302_0100, high: 0x0f0e_0d0c_0b0a_0908)
    for (length, value) in expected.enumerated() {
      let bytes = (0..<length).map { UInt8($0) }
      #expect(bytes.withUnsafeBytes { sipHash($0, key: key) } == value, "of \(length) bytes")
    }
  }

  @Test(arguments: [1, 2, 64, 4096])
  func idsCarryTheirPartition(_ count: Int) {
    let partitioning = Partitioning(count: count, key: HashKey(low: 1, high: 2))
    #expect(partitioning.count == count)
    for serial in [0, 1, 77, 1 << 40] {
      for partition in [0, count / 2, count - 1] {
        let id: UserID = partitioning.id(serial: serial, partition: partition)
        #expect(partitioning.serial(of: id) == serial)
        #expect(partitioning.partition(of: id) == partition)
      }
    }
  }

  @Test func namesSpreadEvenly() {
    let partitioning = Partitioning(count: 64, key: HashKey(low: 5, high: 6))
    var counts = [Int](repeating: 0, count: 64)
    for number in 0..<64_000 { counts[NameKey("user\(number)@acme.test", partitioning).partition] += 1 }
    #expect(counts.allSatisfy { (850...1150).contains($0) }, "\(counts)")
    #expect(NameKey("ANA", partitioning).partition == NameKey("ana", partitioning).partition)
  }

  @Test func sessionIdsKeepSlotAndGeneration() {
    let partitioning = Partitioning(count: 64, key: HashKey(low: 5, high: 6))
    for (slot, generation) in [(1, UInt32(0)), (1 << 26 - 1, 3), (77, .max)] {
      let id = SessionNumber.id(slot: slot, generation: generation, partition: 63, partitioning)
      #expect(SessionNumber.slot(partitioning.serial(of: id)) == slot)
      #expect(SessionNumber.generation(partitioning.serial(of: id)) == generation)
      #expect(SecretText.sessionToken(id, (1, 2)).withBytes { SecretText.session(of: $0) } == id)
    }
  }
}
