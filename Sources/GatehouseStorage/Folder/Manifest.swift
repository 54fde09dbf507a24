internal import GatehouseCore

/// What a data folder says about itself: which program it belongs to, which version of the formats its
/// files have, and the few values that are drawn once and hold for as long as the folder lives.
///
/// The file is text, one `name value` a line, so that an operator can read it:
///
/// ```
/// program gatehouse
/// format 3
/// reader 3
/// folder 5f0c… (16 bytes)
/// partitions 64
/// created 1763755200000
/// secret 9ae1… (32 bytes)
/// hash-key 03b7… (16 bytes)
/// keys 77e0… (16 bytes)
/// unicode 15.0.0
/// encryption 77ab… (16 bytes) 51d3… (16 bytes)
/// log-epoch 3
/// log-first 1
/// log-durable 7706
/// log-closed 1
/// log-shared 1
/// checksum c4d2… (16 bytes)
/// ```
///
/// The checksum is the `Hash128` of every byte before its line. `format` is the version that wrote the
/// folder, `reader` the smallest version that may read it: a program of version v opens any folder whose
/// `reader` is at most v, and keeps lines that it does not know as they are. The lines about the log are a `LogMark`;
/// folders of version 0.1.0 have none. The line about encryption has the id of the key ring, and a signature, made with
/// a key of the ring, of the lines that do not change while the folder lives.
package struct Manifest: Sendable, Equatable {
  /// The version of the formats that this program writes.
  ///
  /// In version 1 a record was what one command changed, and a change that was not known could not be stepped over. From
  /// version 3 on what records say of people is sealed under the keys of a key store.
  package static let currentFormat: UInt32 = 3
  /// The smallest version that understands what this program writes.
  package static let currentReader: UInt32 = 3
  package static let program = "gatehouse"

  package static let secretKeySize = 32
  package static let hashKeySize = 16
  /// Partition indexes are 16 bits wide, and the largest value denotes the directory.
  package static let partitionLimit = 1 << 15

  package var format: UInt32
  package var reader: UInt32
  /// Drawn at random when the folder is created, and repeated in its files, so that a file of another folder is
  /// recognised.
  package var folderID: Hash128
  /// A power of two: an id carries its partition in its low bits.
  package var partitionCount: Int
  /// Unix milliseconds.
  package var createdAt: UInt64
  /// The secret that the server derives its keys from.
  package var secretKey: SecretBytes
  /// The key for hashing names when they are spread over partitions.
  package var hashKey: SecretBytes
  /// The version of the Unicode tables used by the program that last opened the folder; nil if that program had no
  /// tables of its own.
  package var unicodeVersion: String?
  /// Which key store belongs to the folder; nil if it has none yet.
  package var keyStore: Hash128?
  /// The key ring that belongs to the folder; nil if it was never encrypted.
  package var encryption: ManifestEncryption?
  /// What it says of the log; nil if the folder's version recorded nothing.
  package var log: LogMark?
  /// Unknown lines, from a later version; they are kept.
  package var others: [ManifestLine] = []

  /// Whether both are of one folder, ignoring what they say of its log and of the program that last opened it.
  func isOfSameFolder(as other: Manifest) -> Bool {
    var other = other
    other.format = format
    other.reader = reader
    other.log = log
    other.unicodeVersion = unicodeVersion
    other.keyStore = keyStore
    other.encryption = encryption
    return self == other
  }
}

/// What the manifest of an encrypted folder says of its key ring.
package struct ManifestEncryption: Sendable, Equatable {
  package var ring: Hash128
  package var signature: Hash128
}

/// A line of the file.
package struct ManifestLine: Sendable, Equatable {
  package var name: String
  package var value: String
}

/// Bytes that no log line, error text or dump shows.
package struct SecretBytes: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
  package let bytes: [UInt8]

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  package var description: String { "(\(bytes.count) secret bytes)" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}

/// The parameters of a new folder.
package struct FolderParameters: Sendable {
  /// The number of partitions that a folder gets where nobody chooses.
  package static let usualPartitions = 256

  /// A power of two, fixed for as long as the folder lives.
  package var partitionCount: Int
  /// Unix milliseconds.
  package var createdAt: UInt64

  package init(partitionCount: Int = usualPartitions, createdAt: UInt64) {
    self.partitionCount = partitionCount
    self.createdAt = createdAt
  }
}

extension Manifest {
  /// The manifest of a new folder, with its identity and keys drawn from `random`.
  package init(_ parameters: FolderParameters, random: inout some RandomNumberGenerator) {
    let count = parameters.partitionCount
    precondition(count > 0 && count <= Self.partitionLimit && count & (count - 1) == 0, "a power of two")
    func draw(_ size: Int) -> SecretBytes {
      SecretBytes((0..<size).map { _ in UInt8.random(in: .min ... .max, using: &random) })
    }
    self.init(
      format: Self.currentFormat, reader: Self.currentReader,
      folderID: Hash128(high: random.next(), low: random.next()),
      partitionCount: count, createdAt: parameters.createdAt,
      secretKey: draw(Self.secretKeySize), hashKey: draw(Self.hashKeySize), unicodeVersion: FoldedName.version,
      log: LogMark())
  }
}
