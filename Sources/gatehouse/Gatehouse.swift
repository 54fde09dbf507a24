import ArgumentParser
import GatehouseServer

/// The program: the server, and the tools that talk to it.
@main
struct Gatehouse: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gatehouse",
    abstract: "A server that decides logins, sessions, impersonations and timers.",
    discussion: """
      EXAMPLES:
        gatehouse serve                          start a server, data in ./data
        gatehouse serve --data /srv/gatehouse --lanes 4
        gatehouse cli                            talk to it, with completion
        gatehouse cli LOGIN.CHECK ana payroll    ask one question
        gatehouse sample                         fill it with a made-up company
        gatehouse reference                      all commands, as Markdown
      """,
    version: "gatehouse \(Version.current)",
    subcommands: [Serve.self, CommandLineClient.self, Sample.self, Reference.self])
}
