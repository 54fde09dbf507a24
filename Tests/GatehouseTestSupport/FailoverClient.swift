/// Clients of Redis Sentinel by others, each with a script that writes for as long as it runs, and prints what it was told.
package enum FailoverClient: String, CaseIterable, Sendable {
  case redisPy = "redis-py"
  case redisPyAsync = "redis-py-async"
  case valkeyPy = "valkey-py"
  case coredis
  case redisRb = "redis-rb"
  case perlRedis = "perl-redis"
  case predis
  case phpredis

  /// How to start it: to the arguments are added the nodes and the prefix of the users' names.
  package struct Command: Sendable {
    package let program: String
    package let arguments: [String]
    package let environment: [String: String?]
  }

  package enum Outcome: Sendable {
    case ready(Command)
    case unavailable(String)
  }

  /// - Parameter scripts: the folder of the scripts.
  package func prepare(scripts: String) throws -> Outcome {
    switch self {
    case .redisPy: script("failover.py", of: .redisPyNewest, in: scripts, ["redis"])
    case .redisPyAsync: script("failover.py", of: .redisPyNewest, in: scripts, ["redis-async"])
    case .valkeyPy: script("failover.py", of: .valkeyPy, in: scripts, ["valkey"])
    case .coredis: script("failover.py", of: .coredis, in: scripts, ["coredis"])
    case .redisRb: script("failover.rb", of: .redisRb, in: scripts)
    case .perlRedis: script("failover.pl", of: .perlRedis, in: scripts)
    case .phpredis: script("phpredis.php", of: .phpredis, in: scripts)
    case .predis: try predis(scripts)
    }
  }

  private func script(_ name: String, of client: ForeignClient, in folder: String, _ words: [String] = []) -> Outcome {
    switch client.interpreter {
    case .unavailable(let why): .unavailable(why)
    case .ready(let interpreter):
      .ready(
        Command(
          program: interpreter.program, arguments: ["\(folder)/\(name)"] + words, environment: interpreter.environment))
    }
  }

  private func predis(_ folder: String) throws -> Outcome {
    guard findProgram("php") != nil, try runProgram("php", ["-r", "require 'Predis/autoload.php';"]).succeeded else {
      return .unavailable("php with the Debian package php-predis is not installed")
    }
    return .ready(Command(program: "php", arguments: ["\(folder)/predis.php"], environment: [:]))
  }
}
