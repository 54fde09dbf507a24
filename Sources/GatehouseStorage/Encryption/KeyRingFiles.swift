internal import Glibc

/// The files `keyring` and `keyring.copy`. A lost ring is a lost folder, so there are two, like the manifest's.
///
/// Each is replaced by a rename, first the copy and then the ring, each durable before the other is touched. A crash in
/// between leaves two of different age. Only the younger one counts, even if only the older opens with the key given: it
/// has all that the older has, and the older one may be from an old backup. Once the younger one is open, the other is
/// written anew.
struct KeyRingFiles {
  let path: String
  let disk: any Disk

  /// Many times the size of a ring.
  static let limit = 1 << 20

  private static let names = [FolderName.keyRing, FolderName.keyRingCopy]

  /// What was found.
  enum Found {
    case nothing
    /// The youngest sound ring, and whether both files have it.
    case ring(SealedKeyRing, isWhole: Bool)
    case unusable(EncryptionError)
  }

  func find(folderID: Hash128) throws(DiskError) -> Found {
    var rings: [SealedKeyRing] = []
    var faults: [EncryptionError] = []
    var contents: [[UInt8]] = []
    for name in Self.names {
      let bytes: [UInt8]
      do throws(DiskError) {
        bytes = try disk.readFile(DiskPath.join(path, name), limit: Self.limit)
      } catch  where error.code == ENOENT {
        continue
      } catch  where error.code == EFBIG || error.code == EISDIR {
        faults.append(.ringDamaged(error.description))
        continue
      }
      do throws(EncryptionError) {
        rings.append(try SealedKeyRing(decoding: bytes, folderID: folderID))
        contents.append(bytes)
      } catch {
        faults.append(error)
      }
    }
    // Of two equally old ones the first: a crash while one was repaired can leave them with different salts.
    if let ring = rings.first(where: { ring in rings.allSatisfy { ring.sequence >= $0.sequence } }) {
      return .ring(ring, isWhole: contents.count == Self.names.count && contents[0] == contents[1])
    }
    return faults.first.map { .unusable($0) } ?? .nothing
  }

  func write(_ ring: KeyRing, under master: MasterKey) throws(DiskError) {
    let bytes = ring.sealed(under: master)
    for name in Self.names.reversed() { try disk.replaceFile(DiskPath.join(path, name), with: bytes) }
  }

  /// The files as they are, for a copy of the folder.
  func contents() throws(DiskError) -> [(name: String, bytes: [UInt8])] {
    var found: [(name: String, bytes: [UInt8])] = []
    for name in Self.names.reversed() {
      do throws(DiskError) {
        found.append((name, try disk.readFile(DiskPath.join(path, name), limit: Self.limit)))
      } catch  where error.code == ENOENT {
        continue
      }
    }
    return found
  }

  func write(_ contents: [(name: String, bytes: [UInt8])]) throws(DiskError) {
    for (name, bytes) in contents { try disk.replaceFile(DiskPath.join(path, name), with: bytes) }
  }
}
