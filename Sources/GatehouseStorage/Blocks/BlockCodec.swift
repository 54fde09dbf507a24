internal import CZstd

/// Compresses blocks, one after the other with one reused context.
///
/// There is never a second reference to the context, and using it needs exclusive access: that makes it
/// sendable, which the compiler cannot see through a C pointer.
struct BlockCompressor: ~Copyable, @unchecked Sendable {
  private let context: OpaquePointer
  private var scratch: [UInt8] = []

  init(level: Int32) {
    guard let context = ZSTD_createCCtx() else { fatalError("out of memory") }
    self.context = context
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level)
    // Four bytes a block against a fault of the compressor itself, which no hash of its output can show.
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
  }

  deinit { ZSTD_freeCCtx(context) }

  /// Gives `body` the block as it is to be stored: compressed, or as it is where that would not be smaller.
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
