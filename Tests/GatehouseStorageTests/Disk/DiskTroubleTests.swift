import Glibc
import Testing

@testable import GatehouseStorage

@Suite struct DiskTroubleTests {
  @Test(arguments: [
    (ENOSPC, DiskTrouble.noSpace, "make room"), (EDQUOT, .noSpace, "quota"), (EMFILE, .noDescriptors, "ulimit -n"),
    (ENFILE, .noDescriptors, "open files"), (EACCES, .notPermitted, "owner"), (EPERM, .notPermitted, "owner"),
    (EROFS, .readOnly, "mount"), (EIO, .failed, "see to the disk"), (ENOENT, .failed, "start again"),
  ])
  func anErrorSaysWhatHelps(code: Int32, trouble: DiskTrouble, remedy: String) {
    let error = DiskError(call: "open", path: "/data/log/next", code: code)
    #expect(error.trouble == trouble)
    #expect(error.trouble.remedy.contains(remedy))
    #expect(error.isShortage == [.noSpace, .noDescriptors].contains(trouble))
  }

  @Test func filesOfTheFileSystemAreNotListed() throws {
    let temporary = TemporaryFolder()
    let disk = PosixDisk()
    for name in ["lost+found", ".nfs0000000000000001", "manifest", "lost"] {
      try disk.createDirectory(temporary.path + "/" + name)
    }
    #expect(try disk.names(in: temporary.path).sorted() == ["lost", "manifest"])
  }
}
