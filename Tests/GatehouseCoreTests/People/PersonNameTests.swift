import Testing

@testable import GatehouseCore

@Suite struct PersonNameTests {
  @Test(arguments: [
    ("Ada", "Ada", "", ""), ("Ada Lovelace", "Ada", "", "Lovelace"), ("Ada King Lovelace", "Ada", "King", "Lovelace"),
    ("  Ada   King  of  Lovelace ", "Ada", "King of", "Lovelace"), ("", "", "", ""),
  ])
  func firstLast(typed: String, first: String, middle: String, last: String) {
    #expect(PersonName(typed: typed, format: "first-last") == PersonName(first: first, middle: middle, last: last))
  }

  @Test(arguments: [
    ("Lovelace", "", "", "Lovelace"), ("Lovelace Ada", "Ada", "", "Lovelace"),
    ("Lovelace Ada King", "Ada", "King", "Lovelace"), ("de la Cruz, Ana Maria", "Ana", "Maria", "de la Cruz"),
    ("Lovelace,", "", "", "Lovelace"), ("", "", "", ""),
  ])
  func lastFirst(typed: String, first: String, middle: String, last: String) {
    #expect(PersonName(typed: typed, format: "last-first") == PersonName(first: first, middle: middle, last: last))
  }

  @Test func isShownInTheOrderInWhichItWasTyped() {
    for text in ["Ada King Lovelace", "Ada Lovelace", "Ada"] {
      #expect(PersonName(typed: text, format: "first-last").text(format: "first-last") == text)
    }
    for text in ["Lovelace, Ada King", "Lovelace, Ada", "Lovelace"] {
      #expect(PersonName(typed: text, format: "last-first").text(format: "last-first") == text)
    }
  }
}
