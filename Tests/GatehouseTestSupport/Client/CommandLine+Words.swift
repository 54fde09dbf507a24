/// Splits a command line into words like a shell: blanks separate, single and double quotes group.
///
/// Scenarios can then be written as a person would type them.
package func words(of line: String) -> [String] {
  var words: [String] = []
  var current: String?
  var quote: Character?
  for character in line {
    if let open = quote {
      if character == open { quote = nil } else { current!.append(character) }
    } else if character == "'" || character == "\"" {
      quote = character
      current = current ?? ""
    } else if character == " " {
      if let word = current { words.append(word) }
      current = nil
    } else {
      current = (current ?? "") + String(character)
    }
  }
  precondition(quote == nil, "a quote is left open in: \(line)")
  if let word = current { words.append(word) }
  return words
}
