/// The linked records of a partition's contacts.
public struct Links: ~Copyable, Sendable {
  public internal(set) var rows = RowTable<LinkRow>()
  /// The links of each contact, oldest first, by the contact's serial number. Derived.
  var ofContact: [UInt32: ContiguousArray<UInt32>] = [:]

  public init() {}

  func reference(of link: Int) -> String { rows.withDetails(of: link) { Details.text(LinkTag.reference, in: $0) } }

  func content(of link: Int) -> LinkContent {
    let details = rows.details(of: link)
    let attributes = try? details.decode(LinkTag.attributes) { (reader) throws(CodingError) in
      try reader.list { (reader) throws(CodingError) in
        LinkContent.Attribute(name: try reader.text(), value: try reader.text())
      }
    }
    return LinkContent(status: details[text: LinkTag.status], attributes: attributes ?? [])
  }

  func maker(of link: Int) -> LinkMaker {
    let details = rows.details(of: link)
    let author = try? details.decode(LinkTag.author) { (reader) throws(CodingError) in try Author(from: &reader) }
    let subject = try? details.decode(LinkTag.subject) { (reader) throws(CodingError) in try reader.id() as UserID }
    return LinkMaker(author: author ?? .service(0), subject: subject ?? nil)
  }

  /// The links of a contact in some workspaces, oldest first.
  func links(of contact: Int, in reach: Reach, _ kind: LinkKind?) -> [Int] {
    (ofContact[UInt32(contact)] ?? []).map(Int.init).filter { link in
      reach.contains(rows[link].workspace) && (kind == nil || rows[link].kind == kind)
    }
  }

  /// A contact's link of a kind with a reference in a workspace.
  func find(_ kind: LinkKind, _ reference: String, of contact: Int, in workspace: WorkspaceID) -> Int? {
    links(of: contact, in: .only([workspace]), kind).first { self.reference(of: $0) == reference }
  }

  mutating func add(_ row: LinkRow, at serial: Int, reference: String, _ content: LinkContent, _ maker: LinkMaker) {
    rows.put(row, at: serial)
    var details = Details()
    details[text: LinkTag.reference] = reference
    Self.write(content, to: &details)
    details.encode(LinkTag.author) { maker.author.encode(&$0) }
    if let subject = maker.subject { details.encode(LinkTag.subject) { $0.id(subject) } }
    rows.setDetails(of: serial, details.bytes)
    ofContact[row.contact, default: []].append(UInt32(serial))
  }

  mutating func set(_ content: LinkContent, of serial: Int, _ lsn: LSN) {
    var details = rows.details(of: serial)
    Self.write(content, to: &details)
    rows.setDetails(of: serial, details.bytes)
    rows[serial].version += 1
    rows[serial].lsn = lsn
  }

  mutating func remove(_ serial: Int) {
    let contact = rows[serial].contact
    ofContact[contact]?.removeAll { $0 == UInt32(serial) }
    if ofContact[contact]?.isEmpty == true { ofContact[contact] = nil }
    rows.put(.vacant, at: serial)
  }

  private static func write(_ content: LinkContent, to details: inout Details) {
    details[text: LinkTag.status] = content.status
    if content.attributes.isEmpty {
      details.set(LinkTag.attributes, UnsafeRawBufferPointer(start: nil, count: 0))
    } else {
      details.encode(LinkTag.attributes) { writer in
        writer.list(content.attributes) { writer, attribute in
          writer.text(attribute.name)
          writer.text(attribute.value)
        }
      }
    }
  }
}

extension Links: Aggregate {
  mutating func copy() -> Links {
    var copy = Links()
    copy.rows = rows.copy()
    copy.ofContact = ofContact
    return copy
  }

  static let sections: [StoredSection<PartitionState>] = [
    StoredSection(20, size: { $0.links.rows.last * 64 }) { state, writer in
      state.links.rows.encode(into: &writer)
    } read: { (state, reader, layout) throws(CodingError) in
      state.links.rows = try RowTable.read(from: &reader, layout)
      for serial in 1..<(state.links.rows.last + 1) where state.links.rows[serial].isUsed {
        let contact = state.links.rows[serial].contact
        guard state.people.contacts.contains(Int(contact)) else {
          throw reader.failure("a link of a contact that does not exist")
        }
        state.links.ofContact[contact, default: []].append(UInt32(serial))
      }
    }
  ]

  static func check(_ state: borrowing PartitionState, _ checker: InvariantChecker) {
    var indexed = 0
    for (contact, links) in state.links.ofContact {
      for link in links {
        let row = state.links.rows[Int(link)]
        checker.expect(row.isUsed && row.contact == contact, "link \(link) is listed under another contact")
      }
      checker.expect(Set(links).count == links.count, "contact \(contact) has a link twice")
      indexed += links.count
    }
    for serial in 1..<(state.links.rows.last + 1) where state.links.rows[serial].isUsed {
      let row = state.links.rows[serial]
      indexed -= 1
      checker.expect(
        state.people.contacts.contains(Int(row.contact)) && state.people.contacts[Int(row.contact)].isUsed,
        "link \(serial) of partition \(state.index) belongs to no contact")
      checker.expect(checker.isWorkspace(row.workspace), "link \(serial) is in an unknown workspace")
      checker.expect(row.lsn <= state.lsn, "link \(serial) is newer than its partition")
    }
    checker.expect(indexed == 0, "partition \(state.index) has links under no contact")
  }
}
