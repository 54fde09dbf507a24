/// The container format of snapshots and archives: blocks, followed by a table that describes them.
///
/// ```
/// header   64 bytes   magic 8 · format u16 · reader u16 · flags u32 · folder id 16 · created u64 (unix ms)
///                     · zeros 8 · hash of these 48 bytes
///    or    96 bytes   of an encrypted file, with flag bit 0: … · created u64 · data key u32 · zeros 4 · salt 32
///                     · hash of these 80 bytes
/// blocks              stored bytes, one block after the other without gaps
/// table               count u32 · a block: stored length u32 (top bit: not compressed; the next one: not encrypted,
///                     in an encrypted file), raw length u32, hash of the stored bytes 16 · then what the kind of
///                     file adds
/// trailer  96 bytes   magic 8 · table offset u64 · table length u64 · file length u64 · hash of the table 16
///                     · the header's hash 16 · zeros 16 · hash of these 80 bytes
/// ```
///
/// Numbers are little-endian, hashes are `Hash128`, blocks are zstd frames. A reader begins at the end: the trailer has
/// the hash of the table, the table has the hash of each block, and their lengths must add up to the file's. So every
/// byte of the file is covered by a hash, no length is trusted before its hash is checked, and several threads can read
/// blocks in any order. In an encrypted file the blocks are encrypted after compression (`BlockSeal`), and a tag of 16
/// bytes follows each; the hashes are of what is stored, so that a file can be checked without the key. A file is written under a temporary name, and renamed only once it is durable and was read
/// back.
enum BlockFile {
  static let headerSize = 64
  static let trailerSize = 96
  static let trailerMagic: UInt64 = magic("GATEHEND")
  static let sealedHeaderSize = 96
  static let sealedFlag: UInt32 = 1
  static let storedRawBit: UInt32 = 1 << 31
  static let storedClearBit: UInt32 = 1 << 30
  /// Far more than any table takes, and small enough to read whole.
  static let tableLimit = 256 << 20

  /// Eight characters as the number whose bytes they are.
  static func magic(_ text: StaticString) -> UInt64 {
    precondition(text.utf8CodeUnitCount == 8)
    return UnsafeRawPointer(text.utf8Start).loadUnaligned(as: UInt64.self)
  }
}

/// What distinguishes one kind of block file from another.
struct BlockFileKind: Sendable {
  let magic: UInt64
  /// The version that this program writes, and the largest `reader` that it accepts.
  let format: UInt16
  /// The smallest version that can read what this program writes.
  let reader: UInt16
  /// No block's raw length is above this.
  let blockLimit: Int
}

/// The content of the header.
struct BlockFileHeader: Sendable, Equatable {
  var folderID: Hash128
  /// Unix milliseconds.
  var createdAt: UInt64
  /// How the blocks are encrypted; nil if they are not.
  var encryption: Encryption?

  struct Encryption: Sendable, Equatable {
    /// The number of the data key.
    var dataKey: UInt32
    var salt: [UInt8]
  }

  var size: Int { encryption == nil ? BlockFile.headerSize : BlockFile.sealedHeaderSize }
}

/// What the table says about one block, and the block's offset computed from it.
struct BlockEntry: Sendable, Equatable {
  var offset: UInt64
  var storedLength: Int
  var rawLength: Int
  var isStoredRaw: Bool
  var isSealed = false
  var hash: Hash128

  /// The length of the block as it was before it was encrypted.
  var clearLength: Int { storedLength - (isSealed ? Sealing.tagSize : 0) }
}

/// What is wrong with a snapshot or an archive file.
package enum BlockFileError: Error, Equatable {
  /// `offset` is where the damage shows.
  case damaged(path: String, offset: UInt64, reason: String)
  case newer(path: String, reader: UInt16)
  case otherFolder(path: String)
  /// It is encrypted, and cannot be decrypted.
  case locked(path: String, EncryptionError)
  case failed(DiskError)
}

extension BlockFileError {
  /// Whether the file is not what was once written, so that trying again does not help.
  package var isDamage: Bool {
    switch self {
    case .damaged, .otherFolder: true
    case .failed(let error): error.isUnreadable
    case .newer, .locked: false
    }
  }
}

/// Whether an error means that a file is damaged, and not a problem of the disk, the program or another process.
package func isDamage(_ error: any Error) -> Bool {
  (error as? LogError)?.isDamage ?? (error as? BlockFileError)?.isDamage ?? false
}

extension BlockFileError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .damaged(let path, let offset, let reason): "\(path) is damaged at byte \(offset): \(reason)"
    case .newer(let path, let reader): "\(path) needs a program that reads format \(reader)"
    case .otherFolder(let path): "\(path) belongs to another data folder"
    case .locked(let path, let error): "\(path): \(error)"
    case .failed(let error): error.description
    }
  }
}

/// Turns a failed system call into an error of the file.
func blockFile<Result>(_ call: () throws(DiskError) -> Result) throws(BlockFileError) -> Result {
  do throws(DiskError) {
    return try call()
  } catch {
    throw .failed(error)
  }
}
