/// A link that a decision found.
struct LinkReference {
  let contact: ContactReference
  let serial: Int

  var id: LinkID { contact.cell.state.id(serial) }
  var row: LinkRow { contact.cell.state.links.rows[serial] }
  var reference: String { contact.cell.state.links.reference(of: serial) }
  var content: LinkContent { contact.cell.state.links.content(of: serial) }
}

/// A link as shown.
struct LinkView {
  let id: LinkID
  let contact: ContactID
  let workspace: WorkspaceID
  let kind: LinkKind
  let reference: String
  let content: LinkContent
  let created: Milliseconds
  let maker: LinkMaker
  let version: UInt32

  init(
    id: LinkID, contact: ContactID, workspace: WorkspaceID, kind: LinkKind, reference: String, content: LinkContent,
    created: Milliseconds, maker: LinkMaker, version: UInt32
  ) {
    self.id = id
    self.contact = contact
    self.workspace = workspace
    self.kind = kind
    self.reference = reference
    self.content = content
    self.created = created
    self.maker = maker
    self.version = version
  }

  /// A link as it is, or with its next content.
  init(_ link: LinkReference, next: LinkContent? = nil) {
    let row = link.row
    let isNew = next.map { $0 != link.content } ?? false
    self.init(
      id: link.id, contact: link.contact.id, workspace: row.workspace, kind: row.kind, reference: link.reference,
      content: next ?? link.content, created: row.created,
      maker: link.contact.cell.state.links.maker(of: link.serial), version: row.version + (isNew ? 1 : 0))
  }
}

extension Turn {
  /// The map of a link.
  func show(_ link: LinkView) throws(Halt) {
    reply.map(11)
    reply.text("link")
    reply.integer(link.id.raw)
    reply.text("contact")
    reply.integer(link.contact.raw)
    reply.text("workspace")
    reply.text(directory.workspace(link.workspace).name)
    reply.text("kind")
    reply.text(link.kind.name)
    reply.text("ref")
    reply.text(link.reference)
    show("status", link.content.status)
    reply.text("attributes")
    reply.map(link.content.attributes.count)
    for attribute in link.content.attributes {
      reply.text(attribute.name)
      reply.text(attribute.value)
    }
    reply.text("created")
    reply.integer(link.created)
    reply.text("created-by")
    reply.text(try name(of: link.maker.author, in: link.workspace))
    try showPerson("created-as", link.maker.subject, in: link.workspace)
    reply.text("version")
    reply.integer(link.version)
  }
}
