import CArgon2
import GatehouseCore
import GatehouseStorage
import Synchronization

/// Computes Argon2 hashes, on as many threads as ask for one at a time.
final class HashingThreads: Sendable {
  private struct Idle {
    let thread: HashingThread
    var isRecent = true
  }

  /// Those that compute nothing; the one used last is at the end, and used first.
  private let idle = Mutex<[Idle]>([])
  private let priority: PosixThread.Priority

  init(priority: PosixThread.Priority) { self.priority = priority }

  /// The digest of a password under the parameters and the salt of a hash, as long as its digest.
  ///
  /// - Throws: `Refusal` if the machine has no memory for it.
  func digest(of password: [UInt8], like hash: Argon2Hash) throws(Refusal) -> [UInt8] {
    let thread = idle.withLock { $0.popLast() }?.thread ?? HashingThread(priority: priority)
    defer { idle.withLock { $0.append(Idle(thread: thread)) } }
    var (password, salt) = (password, hash.salt)
    var digest = [UInt8](repeating: 0, count: hash.digest.count)
    let code = password.withUnsafeMutableBufferPointer { password in
      salt.withUnsafeMutableBufferPointer { salt in
        digest.withUnsafeMutableBufferPointer { digest in
          var context = argon2_context()
          (context.out, context.outlen) = (digest.baseAddress, UInt32(digest.count))
          (context.pwd, context.pwdlen) = (password.baseAddress, UInt32(password.count))
          (context.salt, context.saltlen) = (salt.baseAddress, UInt32(salt.count))
          context.t_cost = UInt32(hash.cost.passes)
          context.m_cost = UInt32(hash.cost.memory)
          context.lanes = UInt32(hash.cost.lanes)
          // One thread computes all lanes: others would have to be made, which takes memory, and the cores are shared
          // among the hashes already.
          context.threads = 1
          context.version = UInt32(hash.version)
          return thread.run(context, hash.variant.code)
        }
      }
    }
    guard code == 0 else {
      throw Refusal(.busy, "a password cannot be hashed: \(String(cString: argon2_error_message(code)))")
    }
    return digest
  }

  /// How much memory the threads keep that compute nothing now.
  var keptBytes: Int { idle.withLock { $0.reduce(0) { $0 + $1.thread.bytes } } }

  /// Returns the memory of threads that were not used since the last call.
  func giveBackMemory() {
    idle.withLock { idle in
      for index in idle.indices {
        if !idle[index].isRecent { idle[index].thread.giveBack() }
        idle[index].isRecent = false
      }
    }
  }
}

extension Argon2Hash.Variant {
  fileprivate var code: argon2_type {
    switch self {
    case .d: Argon2_d
    case .i: Argon2_i
    case .id: Argon2_id
    }
  }
}
