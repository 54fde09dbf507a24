import ArgumentParser

/// The load test of Gatehouse: a client program that asks a running server as fast, or as regularly, as told.
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
      """,
    subcommands: [RunCommand.self, LoadCommand.self, MicroCommand.self],
    defaultSubcommand: RunCommand.self)
}
