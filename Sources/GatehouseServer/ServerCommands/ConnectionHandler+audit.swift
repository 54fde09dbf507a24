import GatehouseCore
import GatehouseStorage

/// The audit trail and compaction, which read and write files and so run off the lane.
extension ConnectionHandler {
  func auditList() { refuse(.syntax("not yet")) }
  func auditVerify() { refuse(.syntax("not yet")) }
  func compact() { refuse(.syntax("not yet")) }
}
