import ArgumentParser

/// `gatehouse reference`: prints the content of `Sources/GatehouseCore/Documentation.docc/Commands.md`.
struct Reference: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print the reference of all commands as Markdown.",
    discussion: """
      EXAMPLES:
        gatehouse reference
        gatehouse reference > Commands.md

      It is made from the table that the server itself works by, and needs no server.
      """)

  func run() { StandardStream.output(ReferencePage.text) }
}
