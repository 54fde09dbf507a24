import GatehouseCore
import HTTPTypes

/// A page of the console: a title, what can be done about all of it, and blocks. The frame around it (navigation, search,
/// who is signed in, what was just done, the commands that ran) is always the same.
struct Page {
  var title: String
  /// The address of the area that the navigation marks.
  var area: Address?
  var intro: [Cell]
  var actions: [Button]
  var blocks: [Block]
  /// Why what a form asked for was not done.
  var failure: CommandFailure?
  var status: HTTPResponse.Status

  /// - Parameter failure: why what the page's form asked for was not done; stands above the blocks.
  init(
    _ title: String, area: Address? = nil, intro: [Cell] = [], actions: [Button] = [],
    status: HTTPResponse.Status = .ok, failure: CommandFailure? = nil, _ blocks: [Block]
  ) {
    self.title = title
    self.area = area
    self.intro = intro
    self.actions = actions
    self.status = failure?.status ?? status
    self.failure = failure
    self.blocks = blocks
  }

  func html(for visit: Visit, _ areas: [Area]) async -> String {
    let held = await visit.permissions()
    let shown = areas.filter { $0.isShown(held) }
    let person = visit.person
    let blocks = answered(visit)
    return Templates.render(
      [
        "title": title, "css": Assets.style.address(), "js": Assets.script.address(), "icon": Assets.icon.address(),
        "csrf": FormToken.of(person.ownToken), "sealedAs": FormSeal.text(of: person), "sealedIn": visit.workspace,
        "here": visit.isForm ? visit.form["here"].nonEmpty ?? Address.root : visit.target,
        "username": person.username, "user": String(person.user), "workspace": visit.workspace,
        "words": visit.query["q"], "maySearch": held.contains { $0.permission == "user.read" && $0.scope != "oneself" },
        "banner": person.actor.map { banner(actor: $0, visit) },
        "groups": Area.Group.allCases.compactMap { group in group.values(shown, current: area) },
        "lead": intro.isEmpty ? nil : Values(dictionaryLiteral: ("cells", intro.values)),
        "pageActions": actions.isEmpty ? nil : [Block.buttons(actions).values],
        "flash": visit.flash.map(\.values), "blocks": blocks.map(\.values),
        "ran": visit.commands.isEmpty
          ? nil : Values(dictionaryLiteral: ("lines", visit.commands.joined(separator: "\n"))),
      ], with: "page")
  }

  /// The blocks with what is said to a form that was refused.
  private func answered(_ visit: Visit) -> [Block] {
    // The form's own page is shown again, because its address did not make one of what was sent.
    if let reply = FormReply.current { return reply.applied(to: blocks, refills: true) }
    guard let failure else { return blocks }
    return FormReply(action: visit.target, sent: visit.isForm ? visit.form : visit.query, failure: failure)
      .applied(to: blocks, refills: false)
  }

  private func banner(actor: String, _ visit: Visit) -> Values {
    let person = visit.person
    return [
      "actor": actor, "subject": person.username, "until": person.expires.map { TimeText.text(of: $0) },
      "untilText": person.expires.map { "in \(Cell.durationText(max(0, $0 - visit.now)))" },
      // Clocks of browsers are wrong, so that the time that is left is told as well.
      "left": person.expires.map { String(max(0, ($0 - visit.now) / 1000)) },
      "onward": visit.isForm ? Address.root : visit.target, "idem": FormToken.random(),
    ]
  }
}

extension Area.Group {
  fileprivate func values(_ areas: [Area], current: Address?) -> Values? {
    let own = areas.filter { $0.group == self }
    guard !own.isEmpty else { return nil }
    return [
      "group": rawValue,
      "areas": own.map { area -> Values in
        ["area": area.name, "address": area.address.text, "isCurrent": area.address == current]
      },
    ]
  }
}

extension Flash {
  fileprivate var values: Values {
    [
      "tone": tone.rawValue, "says": text,
      "undo": undo.map { Values(dictionaryLiteral: ("lsn", String($0)), ("idem", FormToken.random())) },
      "did": commands.isEmpty ? nil : commands.joined(separator: "\n"),
    ]
  }
}
