import Foundation
import Synchronization

/// Redis client libraries by others, each with a script that uses a server like an application.
///
/// The Python libraries are installed by pip, each release in its own environment; the others come from Debian.
package enum ForeignClient: String, CaseIterable, Sendable {
  case redisPyNewest = "redis-py-newest"
  case redisPy5 = "redis-py-5"
  case redisPy4 = "redis-py-4"
  case valkeyPy = "valkey-py"
  case coredis
  case phpredis
  case redisRb = "redis-rb"
  case perlRedis = "perl-redis"
  case nodeRedis = "node-redis"

  /// The file in the integration tests' `Resources`.
  package var script: String {
    switch self {
    case .redisPyNewest, .redisPy5, .redisPy4, .valkeyPy: "redis_client.py"
    case .coredis: "coredis_client.py"
    case .phpredis: "phpredis_client.php"
    case .redisRb: "redis_client.rb"
    case .perlRedis: "redis_client.pl"
    case .nodeRedis: "redis_client.js"
    }
  }

  /// The arguments after the port, once for each way in which the library is tried.
  package var variants: [[String]] {
    switch self {
    case .redisPyNewest, .redisPy5: [["2", "redis"], ["3", "redis"]]
    case .redisPy4: [["2", "redis"]]
    case .valkeyPy: [["2", "valkey"], ["3", "valkey"]]
    case .coredis, .phpredis, .redisRb, .perlRedis, .nodeRedis: [[]]
    }
  }

  /// How to run a script with the library.
  package struct Interpreter: Sendable {
    package let program: String
    package let environment: [String: String?]
  }

  package enum Outcome: Sendable {
    case ready(Interpreter)
    case unavailable(String)
  }

  private static let found = Mutex<[ForeignClient: Outcome]>([:])

  /// The interpreter that has the library, or why there is none.
  package var interpreter: Outcome {
    Self.found.withLock { found in
      if let known = found[self] { return known }
      let outcome = look()
      found[self] = outcome
      return outcome
    }
  }

  private func look() -> Outcome {
    switch self {
    case .redisPyNewest: python("GATEHOUSE_PYTHON_REDIS_NEWEST", "redis", module: "redis")
    case .redisPy5: python("GATEHOUSE_PYTHON_REDIS5", "redis>=5,<6", module: "redis")
    case .redisPy4: python("GATEHOUSE_PYTHON_REDIS4", "redis>=4.6,<5", module: "redis")
    case .valkeyPy: python("GATEHOUSE_PYTHON_VALKEY", "valkey>=6,<7", module: "valkey")
    case .coredis: python("GATEHOUSE_PYTHON_COREDIS", "coredis>=6,<7", module: "coredis")
    case .phpredis: packaged("php", ["-r", "exit(extension_loaded('redis') ? 0 : 1);"], package: "php-redis")
    case .redisRb: packaged("ruby", ["-e", "require 'redis'"], package: "ruby-redis")
    case .perlRedis: packaged("perl", ["-MRedis", "-e", "1"], package: "libredis-perl")
    case .nodeRedis:
      // A Node that does not come from Debian does not search Debian's folder of modules.
      packaged(
        "node", ["-e", "require('redis')"], package: "node-redis", environment: ["NODE_PATH": "/usr/share/nodejs"])
    }
  }

  private func python(_ variable: String, _ requirement: String, module: String) -> Outcome {
    switch PythonLibrary.find(rawValue, variable, requirement, module: module) {
    case .ready(let python): .ready(Interpreter(program: python, environment: [:]))
    case .unavailable(let why): .unavailable(why)
    }
  }

  /// The library of a Debian package.
  private func packaged(
    _ program: String, _ check: [String], package: String, environment: [String: String?] = [:]
  ) -> Outcome {
    guard (try? runProgram(program, check, environment: environment))?.succeeded == true else {
      return .unavailable("\(program) with the Debian package \(package) is not installed")
    }
    return .ready(Interpreter(program: program, environment: environment))
  }
}
