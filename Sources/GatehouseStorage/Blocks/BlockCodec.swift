internal import CZstd

/// Compresses blocks one after the other, with one reused context.
///
/// The type is noncopyable, so only one reference to the context exists, and using it needs exclusive access. That
/// makes it sendable, which the compiler cannot see through a C pointer.
struct BlockCompressor: ~Copyable, @unchecked Sendable {
  private let context: OpaquePointer
  private var scratch: [UInt8] = []

  init(level: Int32) {
    guard let context = ZSTD_createCCtx() else { fatalError("out of memory") }
    self.context = context
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level)
    // Four bytes a block guard against a bug in the compressor itself, which a hash of its output cannot detect.
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
  }

  deinit { ZSTD_freeCCtx(context) }

  /// Passes `body` the block as it is to be stored: compressed, or raw if compression does not make it smaller.
  mutating func store<Result, Failure: Error>(
    _ raw: UnsafeRawBufferPointer, _ body: (_ stored: UnsafeRawBufferPointer, _ isRaw: Bool) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let bound = ZSTD_compressBound(raw.count)
    if scratch.count < bound { scratch = [UInt8](repeating: 0, count: bound) }
    let context = context
    return try scratch.withMutableRawBytes { buffer throws(Failure) in
      let count = ZSTD_compress2(context, buffer.baseAddress, buffer.count, raw.baseAddress, raw.count)
      if ZSTD_isError(count) != 0 || count >= raw.count { return try body(raw, true) }
      return try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]), false)
    }
  }
}
