/// A part of an owner's state in a snapshot: a tag, whether a reader that does not know it must refuse the snapshot, and
/// a length.
struct StoredSection<Owner: ~Copyable>: Sendable {
  typealias Write = @Sendable (borrowing Owner, inout ByteWriter) -> Void
  typealias Read = @Sendable (inout Owner, inout ByteReader, StoredLayout) throws(CodingError) -> Void

  /// Stands for the section for good. Sections are written in the order of their tags: one may refer to those before.
  let tag: UInt8
  fileprivate let size: @Sendable (borrowing Owner) -> Int
  fileprivate let write: Write
  fileprivate let read: Read

  /// - Parameter size: about how many bytes it takes, where that is a lot.
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
  ///   - items: what is written, in an order that follows from what it says.
  ///   - read: reads one item, and puts it in its place.
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
/// Up to version 2 of both owners' codings the parts stood one after the other, without tags and lengths.
struct StoredSections<Owner: ~Copyable>: Sendable {
  private static var firstTagged: UInt8 { 3 }
  /// Its values have no meaning without those that this program does not know.
  private static var criticalFlag: UInt8 { 1 }

  private let sections: [StoredSection<Owner>]
  private let lastUntagged: UInt8

  /// - Parameter lastUntagged: the tag of the last section that there was before sections had tags.
  init(_ sections: [StoredSection<Owner>], lastUntagged: UInt8) {
    self.sections = sections.sorted { $0.tag < $1.tag }
    self.lastUntagged = lastUntagged
    precondition(Set(sections.map(\.tag)).count == sections.count, "two sections of one tag")
  }

  func write(_ owner: borrowing Owner, to writer: inout ByteWriter) {
    // Grown by doubling, a large partition would be copied several times over.
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

  /// - Parameter version: that of the owner's coding.
  func read(into owner: inout Owner, from reader: inout ByteReader, version: UInt8) throws(CodingError) {
    guard version >= Self.firstTagged else {
      let layout: StoredLayout = version == 1 ? .first : .second
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
          throw values.failure("a section of kind \(tag), which only a newer version of Gatehouse understands,")
        }
        continue
      }
      guard tag > last else { throw values.failure("sections out of order") }
      last = tag
      try section.read(&owner, &values, .measured)
    }
  }
}
