import CEdit
import Glibc

/// Reads lines from the terminal with editing, history, completion and hints, through libedit.
///
/// libedit calls back into C functions that receive only its handle, so the handle refers to this object. Only the
/// thread that calls `readLine` uses it.
final class LineEditor {
  /// Provides completion and hints, given the line up to the cursor.
  struct Assistant {
    /// The words that can replace the word being typed.
    let complete: (_ line: String) -> [String]
    /// What may follow, shown at the right edge while typing.
    let hint: (_ line: String) -> String?
    /// What TAB shows when there is nothing to complete.
    let explain: (_ line: String) -> String?
  }

  private let edit: OpaquePointer
  private let past: OpaquePointer
  private let assistant: Assistant
  private let usesColour: Bool
  private var prompt = CText()
  private var rightPrompt = CText()

  /// - Returns: nil if the terminal does not support editing.
  init?(assistant: Assistant, history: [String], usesColour: Bool) {
    // libedit decodes input by the locale. In the C locale of minimal containers only ASCII could be typed.
    if setlocale(LC_CTYPE, "") == nil || String(cString: nl_langinfo(Int32(CODESET))) != "UTF-8" {
      setlocale(LC_CTYPE, "C.UTF-8")
    }
    guard let past = history_init() else { return nil }
    guard let edit = cedit_init("gatehouse") else {
      history_end(past)
      return nil
    }
    self.edit = edit
    self.past = past
    self.assistant = assistant
    self.usesColour = usesColour
    configure()
    for line in history { remember(line) }
  }

  deinit {
    el_end(edit)
    history_end(past)
  }

  private func configure() {
    cedit_set_client_data(edit, Unmanaged.passUnretained(self).toOpaque())
    cedit_set_prompt(edit) { LineEditor.of($0).prompt.pointer }
    cedit_set_right_prompt(edit) { LineEditor.of($0).currentHint() }
    cedit_set_editor(edit, "emacs")
    cedit_history_set_size(past, 1000)
    cedit_history_set_unique(past, 1)
    cedit_set_history(edit, past)
    // On an interrupt, restore the terminal before the program ends.
    cedit_set_signal_handling(edit, 1)
    cedit_add_function(edit, "gatehouse-complete", "complete the word or show what follows") { edit, _ in
      UInt8(LineEditor.of(edit).complete())
    }
    // libedit draws a typed character without redrawing the rest. A space ends a word, which is when the hint changes.
    cedit_add_function(edit, "gatehouse-space", "insert a space and renew the hint") { edit, _ in
      el_insertstr(edit, " ")
      return UInt8(CC_REFRESH)
    }
    el_source(edit, nil)
    cedit_bind(edit, "\t", "gatehouse-complete")
    cedit_bind(edit, " ", "gatehouse-space")
    cedit_bind(edit, "^R", "em-inc-search-prev")
  }

  /// The next line without its end; nil at the end of input.
  func readLine(prompt text: String) -> String? {
    prompt.set(text)
    var count: Int32 = 0
    guard let line = el_gets(edit, &count), count > 0 else { return nil }
    let text = String(cString: line)
    return text.hasSuffix("\n") ? String(text.dropLast()) : text
  }

  func remember(_ line: String) { cedit_history_enter(past, line) }

  // MARK: Callbacks

  private static func of(_ edit: OpaquePointer?) -> LineEditor {
    Unmanaged<LineEditor>.fromOpaque(cedit_client_data(edit!)).takeUnretainedValue()
  }

  /// The line up to the cursor.
  private func lineToCursor() -> String {
    guard let line = el_line(edit)?.pointee, let start = line.buffer, let cursor = line.cursor else { return "" }
    return String(decoding: UnsafeRawBufferPointer(start: start, count: cursor - start), as: UTF8.self)
  }

  private func currentHint() -> UnsafeMutablePointer<CChar> {
    // Cut the hint, so that room for typing remains.
    let width = Self.terminalWidth() / 2
    var hint = assistant.hint(lineToCursor()) ?? ""
    if hint.count > width { hint = String(hint.prefix(max(0, width - 1))) + "…" }
    rightPrompt.set(usesColour && !hint.isEmpty ? "\u{1}\u{1B}[2m\u{1}\(hint)\u{1}\u{1B}[0m\u{1}" : hint)
    return rightPrompt.pointer
  }

  private func complete() -> Int32 {
    let line = lineToCursor()
    let candidates = assistant.complete(line)
    let typed = Self.lastWord(of: line)
    guard let first = candidates.first else {
      guard let explanation = assistant.explain(line) else { return CC_REFRESH }
      show(explanation)
      return CC_REDISPLAY
    }
    let common = candidates.dropFirst().reduce(first) { $0.commonPrefix(with: $1) }
    if candidates.count == 1 || common.count > typed.count {
      el_deletestr(edit, Int32(typed.count))
      el_insertstr(edit, candidates.count == 1 ? common + " " : common)
      return CC_REFRESH
    }
    show(Columns.text(candidates, width: Self.terminalWidth()))
    return CC_REDISPLAY
  }

  /// Writes below the line being typed; libedit then redraws the line below that.
  private func show(_ text: String) {
    fflush(nil)
    StandardStream.output("\n\(text)\n")
  }

  static func lastWord(of line: String) -> Substring {
    line.lastIndex(of: " ").map { line[line.index(after: $0)...] } ?? line[...]
  }

  static func terminalWidth() -> Int {
    var size = winsize()
    return ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
  }
}

/// A C string that stays at its address until it is set again, as libedit requires of prompts.
private struct CText: ~Copyable {
  private(set) var pointer: UnsafeMutablePointer<CChar> = strdup("")

  mutating func set(_ text: String) {
    free(pointer)
    pointer = strdup(text)
  }

  deinit { free(pointer) }
}

/// Words in columns, as `ls` shows them.
enum Columns {
  static func text(_ words: [String], width: Int) -> String {
    let column = (words.map(\.count).max() ?? 0) + 2
    let columns = max(1, width / column)
    let rows = (words.count + columns - 1) / columns
    return (0..<rows).map { row in
      stride(from: row, to: words.count, by: rows).map {
        words[$0] + String(repeating: " ", count: column - words[$0].count)
      }
      .joined().trimmingTrailingSpaces()
    }.joined(separator: "\n")
  }
}

extension String {
  func commonPrefix(with other: String) -> String {
    String(zip(self, other).prefix { $0 == $1 }.map(\.0))
  }

  fileprivate func trimmingTrailingSpaces() -> String {
    var text = self[...]
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}
