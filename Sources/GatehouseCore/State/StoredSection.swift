/// A part of an owner's state in a snapshot: a tag, a flag whether a reader that does not know it must refuse the
/// snapshot, and a length.
struct StoredSection<Owner: ~Copyable>: Sendable {
  typealias Write = @Sendable (borrowing Owner, inout ByteWriter) -> Void
  typealias Read = @Sendable (inout Owner, inout ByteReader, StoredLayout) throws(CodingError) -> Void

  /// Identifies the section permanently. Sections are written in tag order; one may refer to those before it.
  let tag: UInt8
  fileprivate let size: @Sendable (borrowing Owner) -> Int
  fileprivate let write: Write
  fileprivate let read: Read

  /// - Parameter size: the approximate size in bytes, if it is large.
  init(
    _ tag: UInt8, size: @escaping @Sendable (borrowing Owner) -> Int = { _ in 0 }, write: @escaping Write,
    read: @escaping Read
  ) {
    self.tag = tag
    self.size = size
    self.write = write
    self.read = read
  }

  /// A section that is a list.
  ///
  /// - Parameters:
  ///   - items: the items, in an order that depends only on their values.
  ///   - read: reads one item and adds it to the owner.
  static func list<Items: Collection & SendableMetatype>(
    _ tag: UInt8, _ items: @escaping @Sendable (borrowing Owner) -> Items,
    write: @escaping @Sendable (inout ByteWriter, Items.Element) -> Void, read: @escaping Read
  ) -> StoredSection {
    StoredSection(tag) { owner, writer in
      writer.list(items(owner), write)
    } read: { (owner, reader, layout) throws(CodingError) in
      for _ in 0..<(try reader.count()) { try read(&owner, &reader, layout) }
    }
  }
}

/// All sections of an owner's state.
///
/// Up to version 2 of both owners' encodings, the parts followed each other without tags and lengths.
struct StoredSections<Owner: ~Copyable>: Sendable {
  private static var firstTagged: UInt8 { 3 }
  /// The snapshot makes no sense without this section, so a program that does not know it must refuse.
  private static var criticalFlag: UInt8 { 1 }

  private let sections: [StoredSection<Owner>]
  private let lastUntagged: UInt8

  /// - Parameter lastUntagged: the tag of the last section that existed before sections had tags.
  init(_ sections: [StoredSection<Owner>], lastUntagged: UInt8) {
    self.sections = sections.sorted { $0.tag < $1.tag }
    self.lastUntagged = lastUntagged
    precondition(Set(sections.map(\.tag)).count == sections.count, "two sections have the same tag")
  }

  func write(_ owner: borrowing Owner, to writer: inout ByteWriter) {
    // Reserve once: growing by doubling would copy a large partition several times.
    var size = 0
    for section in sections { size += section.size(owner) }
    writer.reserve(size)
    writer.varint(sections.count)
    for section in sections {
      writer.byte(section.tag)
      writer.byte(Self.criticalFlag)
      let start = writer.beginSection()
      section.write(owner, &writer)
      writer.endSection(start)
    }
  }

  /// - Parameter version: the version of the owner's encoding.
  func read(
    into owner: inout Owner, from reader: inout ByteReader, version: UInt8, _ seals: (any SealKeeper)?
  ) throws(CodingError) {
    guard version >= Self.firstTagged else {
      let layout = StoredLayout(form: version == 1 ? .first : .second, seals: seals)
      for section in sections where section.tag <= lastUntagged { try section.read(&owner, &reader, layout) }
      return
    }
    var last: UInt8 = 0
    for _ in 0..<(try reader.count()) {
      let tag = try reader.byte()
      let flags = try reader.byte()
      var values = try reader.section()
      guard let section = sections.first(where: { $0.tag == tag }) else {
        guard flags & Self.criticalFlag == 0 else {
          throw values.failure("a section of kind \(tag) from a newer version of Gatehouse")
        }
        reader.skip()
        continue
      }
      guard tag > last else { throw values.failure("sections out of order") }
      last = tag
      try section.read(&owner, &values, StoredLayout(form: .measured, seals: seals))
      reader.end(values)
    }
  }
}
