import ArgumentParser

/// Gatehouse's load test: a client that sends requests to a running server, at full speed or at a fixed rate.
@main
struct GatehouseBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gatehouse-bench",
    abstract: "Measures a running Gatehouse server, or Redis holding the same people.",
    discussion: """
      EXAMPLES
        gatehouse-bench load --port 7600 --users 100000
        gatehouse-bench run --port 7600 --users 100000 --connections 50 --depth 16 --duration 10s
        gatehouse-bench run --port 7600 --users 100000 --mix login:90,session:9,timer:1 --rate 20000 --json
        gatehouse-bench run --port 6379 --users 100000 --target redis-get --requests 1000000
        gatehouse-bench micro parse --iterations 100000
        gatehouse-bench seal
      """,
    subcommands: [RunCommand.self, LoadCommand.self, MicroCommand.self, SealCommand.self],
    defaultSubcommand: RunCommand.self)
}
