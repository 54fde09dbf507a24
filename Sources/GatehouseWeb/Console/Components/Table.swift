/// A table. Sorting, filters and pages are links, so that the address always says what is shown.
struct Table: Sendable {
  struct Column: Sendable {
    var title: String
    /// What sorts by this column; nil if nothing does.
    var sort: Address?
    /// The order that the rows have now, if it is by this column.
    var order: Order?
    var isNumeric = false

    enum Order: String, Sendable {
      case ascending, descending
    }

    init(_ title: String, sort: Address? = nil, order: Order? = nil, isNumeric: Bool = false) {
      self.title = title
      self.sort = sort
      self.order = order
      self.isNumeric = isNumeric
    }
  }

  struct Row: Sendable {
    var cells: [[Cell]]
    /// What the row's checkbox sends, and what it is called for those who do not see it.
    var selection: (value: String, label: String)?
    var buttons: [Button] = []

    init(_ cells: [[Cell]], selection: (value: String, label: String)? = nil, buttons: [Button] = []) {
      self.cells = cells
      self.selection = selection
      self.buttons = buttons
    }
  }

  var caption: String
  var columns: [Column]
  var rows: [Row]
  /// The name of the rows' checkboxes, which belong to the form with this `id`.
  var selection: (name: String, form: String)?
  var first: Address?
  var next: Address?
  /// What stands for a table without rows.
  var empty: Block?

  var block: Block {
    if rows.isEmpty, let empty { return empty }
    let hasButtons = rows.contains { !$0.buttons.isEmpty }
    return Block(
      "table",
      [
        "caption": caption,
        "isSelectable": selection != nil, "selectionName": selection?.name, "selectionForm": selection?.form,
        "hasButtons": hasButtons,
        "columns": columns.map { column -> Values in
          [
            "title": column.title, "sort": column.sort?.text, "order": column.order?.rawValue,
            "isAscending": column.order == .ascending, "isDescending": column.order == .descending,
            "isNumeric": column.isNumeric,
          ]
        },
        "rows": rows.map { row -> Values in
          [
            "selectable": row.selection.map { Values(dictionaryLiteral: ("value", $0.value), ("label", $0.label)) },
            "cellsOfRow": zip(columns, row.cells).map { column, cells -> Values in
              [
                "isNumeric": column.isNumeric, "columnTitle": column.title,
                "cells": (cells.isEmpty ? [Cell.none] : cells).values,
              ]
            },
            "rowActions": hasButtons
              ? Values(dictionaryLiteral: ("blocks", [Block.buttons(row.buttons).values])) : nil,
          ]
        },
        "hasPages": first != nil || next != nil, "first": first?.text, "next": next?.text,
      ])
  }
}
