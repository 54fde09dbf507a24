import HTTPTypes

/// What a handler answers with.
enum Outcome {
  case page(Page)
  /// After something was done: to the page that shows it, which says so.
  case redirect(Address, Flash? = nil)
  /// To an address that came with the request; one that leads elsewhere goes to the first page.
  case back(String, Flash? = nil)
  /// A file to download.
  case file(name: String, type: String, text: String)
}

/// What the next page says about what was just done.
struct Flash: Sendable, Equatable {
  var tone = Cell.Tone.good
  var text: String
  /// The record that *Undo* takes back.
  var undo: Int64?
  /// The commands that ran, without secrets.
  var commands: [String] = []

  init(_ text: String, tone: Cell.Tone = .good, undo: Int64? = nil) {
    self.text = text
    self.tone = tone
    self.undo = undo
  }
}
