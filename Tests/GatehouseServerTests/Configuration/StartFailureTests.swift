import GatehouseStorage
import Glibc
import NIOCore
import Testing

@testable import GatehouseServer

/// What the exit code tells a supervisor, and the message an operator.
@Suite struct StartFailureTests {
  static let disk = DiskError(call: "open", path: "/data/manifest", code: EIO)

  @Test(arguments: [
    FolderError.failed(path: "/data", disk), .full(path: "/data"), .readOnly(path: "/data"),
    .notPermitted(path: "/data"),
  ])
  func `a folder that cannot be read or written is a failure of input or output`(error: FolderError) {
    #expect(StartFailure(error) == .io("\(error)"))
  }

  @Test(arguments: [
    FolderError.missing(path: "/data"), .notADirectory(path: "/data"), .foreign(path: "/data", names: ["a"]),
    .newer(path: "/data", format: 2, reader: 2), .unreadable(path: "/data", reason: "it is cut short"),
  ])
  func `a folder that holds no data of ours is no failure of the disk`(error: FolderError) {
    #expect(StartFailure(error) == .dataUnreadable("\(error)"))
  }

  @Test func `read errors in snapshots and archives are disk failures too`() {
    let text = "open of /data/manifest: Input/output error; see to the disk, then start again"
    #expect(StartFailure(Self.disk) == .io(text))
    #expect(StartFailure(BlockFileError.failed(Self.disk)) == .io(text))
    #expect(StartFailure(SnapshotError.file(.failed(Self.disk))) == .io(text))
    let damaged = BlockFileError.damaged(path: "/data/x", offset: 1, reason: "it is cut short")
    #expect(StartFailure(damaged) == .dataUnreadable("\(damaged)"))
  }

  @Test(arguments: [
    (EACCES, "run as the owner of the data folder"), (EROFS, "mount the file system"), (ENOSPC, "make room"),
    (EDQUOT, "raise the quota"), (EMFILE, "ulimit -n"), (EIO, "see to the disk"),
  ])
  func `what helps follows from the error`(code: Int32, remedy: String) {
    let error = DiskError(call: "open", path: "/data/log/witness", code: code)
    #expect("\(StartFailure(error))".contains(remedy))
  }

  @Test func `an address that cannot be listened on is named`() {
    let error = IOError(errnoCode: EADDRINUSE, reason: "bind")
    let text = "cannot listen on 127.0.0.1, port 80: Address already in use; stop what listens there, or choose another"
    for prefix in ["", "tls-"] {
      let taken = StartFailure(error, listeningOn: "127.0.0.1", 80, prefix: prefix)
      #expect(taken == .configuration(text + " --\(prefix)port"))
    }
  }
}
