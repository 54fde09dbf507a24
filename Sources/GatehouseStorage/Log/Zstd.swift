internal import CZstd

/// A zstd dictionary: data that the compressor treats as if it had come before. It matters for small frames, which
/// would otherwise have to spell out what all frames have in common.
package final class ZstdDictionary: @unchecked Sendable {
  /// The id by which frames refer to it; never 0.
  package let id: UInt32
  package let bytes: [UInt8]
  // Immutable after creation; zstd allows reading it from any thread.
  fileprivate let forDecompression: OpaquePointer

  /// - Returns: nil if `bytes` are not a dictionary, or one without an id.
  package init?(_ bytes: [UInt8]) {
    let id = bytes.withUnsafeBytes { ZDICT_getDictID($0.baseAddress, $0.count) }
    guard id != 0,
      let forDecompression = bytes.withUnsafeBytes({ ZSTD_createDDict($0.baseAddress, $0.count) })
    else { return nil }
    self.id = id
    self.bytes = bytes
    self.forDecompression = forDecompression
  }

  deinit { ZSTD_freeDDict(forDecompression) }

  /// Trains a dictionary on bodies like those that it will compress.
  /// - Parameters:
  ///   - samples: at least some dozens; for a good dictionary, a hundred times its size in total.
  ///   - capacity: the maximum size of the dictionary.
  /// - Returns: nil if the samples are too few or too similar.
  package static func train(samples: [[UInt8]], capacity: Int = 16 << 10) -> [UInt8]? {
    var dictionary = [UInt8](repeating: 0, count: capacity)
    let joined = Array(samples.joined())
    let size = dictionary.withUnsafeMutableBytes { target in
      joined.withUnsafeBytes { source in
        samples.map(\.count).withUnsafeBufferPointer { sizes in
          ZDICT_trainFromBuffer(
            target.baseAddress, target.count, source.baseAddress, sizes.baseAddress, UInt32(sizes.count))
        }
      }
    }
    guard ZDICT_isError(size) == 0 else { return nil }
    return Array(dictionary.prefix(size))
  }
}

/// Compresses blocks one after the other, with one reused context.
package struct ZstdCompressor: ~Copyable, @unchecked Sendable {
  private let context: OpaquePointer

  package init(level: Int, dictionary: ZstdDictionary? = nil) {
    guard let context = ZSTD_createCCtx() else { fatalError("zstd: out of memory") }
    self.context = context
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Int32(level))
    // zstd copies the dictionary, and prepares it for the level with the first block.
    dictionary?.bytes.withUnsafeBytes { _ = ZSTD_CCtx_loadDictionary(context, $0.baseAddress, $0.count) }
  }

  deinit { ZSTD_freeCCtx(context) }

  /// Compresses `bytes` into `target`.
  /// - Returns: the compressed size; nil if it does not fit.
  package mutating func compress(_ bytes: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) -> Int? {
    let size = ZSTD_compress2(context, target.baseAddress, target.count, bytes.baseAddress, bytes.count)
    return ZSTD_isError(size) == 0 ? size : nil
  }
}

/// Decompresses blocks one after the other, with one reused context.
package struct ZstdDecompressor: ~Copyable, @unchecked Sendable {
  private let context: OpaquePointer

  package init() {
    guard let context = ZSTD_createDCtx() else { fatalError("zstd: out of memory") }
    self.context = context
  }

  deinit { ZSTD_freeDCtx(context) }

  /// Decompresses `bytes`, which must fill `target` exactly.
  /// - Returns: false if they do not, or are not a zstd frame.
  package mutating func decompress(
    _ bytes: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer, dictionary: ZstdDictionary? = nil
  ) -> Bool {
    let size =
      if let dictionary {
        ZSTD_decompress_usingDDict(
          context, target.baseAddress, target.count, bytes.baseAddress, bytes.count, dictionary.forDecompression)
      } else {
        ZSTD_decompressDCtx(context, target.baseAddress, target.count, bytes.baseAddress, bytes.count)
      }
    return ZSTD_isError(size) == 0 && size == target.count
  }
}
