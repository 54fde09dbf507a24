/// A part of a page, shown by the template of the same name. Blocks contain blocks.
struct Block: Sendable {
  var values: Values

  init(_ template: String, _ values: Values) {
    var values = values
    values["template"] = template
    self.values = values
  }

  /// A panel with a heading. An `id` makes it a target of links.
  static func section(
    _ heading: String, id: String? = nil, note: String? = nil, actions: [Button] = [], _ blocks: [Block]
  ) -> Block {
    Block(
      "section",
      [
        "heading": heading, "anchor": id, "note": note,
        "actions": actions.isEmpty ? nil : [Block.buttons(actions).values],
        "blocks": blocks.map(\.values),
      ])
  }

  /// What matters on the left, what goes with it beside it; one below the other where it is narrow.
  static func columns(main: [Block], side: [Block]) -> Block {
    Block(
      "columns",
      [
        "main": Values(dictionaryLiteral: ("blocks", main.map(\.values))),
        "side": Values(dictionaryLiteral: ("blocks", side.map(\.values))),
      ])
  }

  static func text(_ cells: Cell...) -> Block { Block("text", ["cells": cells.values]) }
  static func text(_ cells: [Cell]) -> Block { Block("text", ["cells": cells.values]) }

  /// A message that stands out: `good`, `warn`, `bad` or `accent`.
  static func notice(_ tone: Cell.Tone, _ heading: String, _ cells: [Cell] = []) -> Block {
    Block(
      "notice",
      [
        "tone": tone.rawValue, "heading": heading, "role": tone == .bad ? "alert" : "status",
        "words": cells.isEmpty ? nil : Values(dictionaryLiteral: ("cells", cells.values)),
      ])
  }

  /// Names and what stands for them.
  static func facts(_ facts: [(name: String, cells: [Cell])]) -> Block {
    Block(
      "facts",
      [
        "facts": facts.map { fact -> Values in
          ["name": fact.name, "cells": (fact.cells.isEmpty ? [Cell.none] : fact.cells).values]
        }
      ])
  }

  static func buttons(_ buttons: [Button]) -> Block { Block("buttons", ["buttons": buttons.map(\.values)]) }

  /// Links in a row, such as the tabs of a page; `isCurrent` marks where one is.
  static func links(_ label: String, _ links: [(text: String, address: Address, isCurrent: Bool)]) -> Block {
    Block(
      "links",
      [
        "label": label,
        "links": links.map { link -> Values in
          ["text": link.text, "address": link.address.text, "isCurrent": link.isCurrent]
        },
      ])
  }

  /// There is nothing: why, and what to do.
  static func empty(_ heading: String, _ text: String, _ buttons: [Button] = []) -> Block {
    Block(
      "empty",
      ["heading": heading, "words": text, "actions": buttons.isEmpty ? nil : [Block.buttons(buttons).values]])
  }

  /// Text as it is, such as a command or a key that is shown once. It can be copied.
  static func code(_ label: String, _ text: String) -> Block { Block("code", ["label": label, "code": text]) }
}
